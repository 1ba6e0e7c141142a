package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	kubeinformers "k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// tooOld is a resourceVersion before all that the server can still tell of.
const tooOld = "1"

var informers = []check{
	{"shared informer sees what is there and what changes", follow},
	{"shared informer with resync", resync},
	{"watch from a version that is gone is answered with 410", expired},
	{"informer whose watch is answered with 410 lists again", relist},
	{"retry watcher goes on after its watch was cut", reconnect},
}

// told is what an informer has said.
type told struct {
	events chan string
}

func newTold() *told {
	return &told{events: make(chan string, 1000)}
}

func (t *told) handler() cache.ResourceEventHandler {
	say := func(what string, object any) {
		if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = tombstone.Obj
		}
		found := object.(*core.ConfigMap)
		t.events <- fmt.Sprintf("%s %s %s", what, found.Name, found.Data["a"])
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { say("add", object) },
		UpdateFunc: func(_, object any) { say("update", object) },
		DeleteFunc: func(object any) { say("delete", object) },
	}
}

// next reads up to what is expected.
func (t *told) next(ctx context.Context, expected string) error {
	var seen []string
	for {
		select {
		case event := <-t.events:
			if event == expected {
				return nil
			}
			seen = append(seen, event)
		case <-ctx.Done():
			return fmt.Errorf("expected %q of the informer, got %q", expected, seen)
		}
	}
}

func (c *cluster) change(ctx context.Context, name, value string) error {
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	found, err := api.Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return err
	}
	found.Data = map[string]string{"a": value}
	_, err = api.Update(ctx, found, meta.UpdateOptions{})
	return err
}

func follow(ctx context.Context, c *cluster) error {
	factory := kubeinformers.NewSharedInformerFactoryWithOptions(c.client, 0, kubeinformers.WithNamespace(c.namespace))
	informer := factory.Core().V1().ConfigMaps()
	told := newTold()
	if _, err := informer.Informer().AddEventHandler(told.handler()); err != nil {
		return err
	}
	if _, err := c.configMap(ctx, "seen", map[string]string{"a": "1"}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if found, err := informer.Lister().ConfigMaps(c.namespace).Get("seen"); err != nil || found.Data["a"] != "1" {
		return fmt.Errorf("expected the object in the cache, got %v (%w)", found, err)
	}
	if err := told.next(ctx, "add seen 1"); err != nil {
		return err
	}
	if err := c.change(ctx, "seen", "2"); err != nil {
		return err
	}
	if err := told.next(ctx, "update seen 2"); err != nil {
		return err
	}
	if err := c.client.CoreV1().ConfigMaps(c.namespace).Delete(ctx, "seen", meta.DeleteOptions{}); err != nil {
		return err
	}
	return told.next(ctx, "delete seen 2")
}

// configMapsNamed lists and watches the config maps with a label; `version` may change what a watch asks for.
func (c *cluster) configMapsNamed(name string, version func(string) string) cache.ListerWatcher {
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options meta.ListOptions) (runtime.Object, error) {
			options.LabelSelector = "name=" + name
			return api.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
			options.LabelSelector = "name=" + name
			options.ResourceVersion = version(options.ResourceVersion)
			return api.Watch(ctx, options)
		},
	}
}

func same(version string) string { return version }

func resync(ctx context.Context, c *cluster) error {
	if _, err := c.configMap(ctx, "resync", map[string]string{"a": "1"}); err != nil {
		return err
	}
	told := newTold()
	informer := cache.NewSharedInformer(c.configMapsNamed("resync", same), &core.ConfigMap{}, time.Second)
	if _, err := informer.AddEventHandlerWithResyncPeriod(told.handler(), time.Second); err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	// An update without a change is the resync.
	if err := told.next(ctx, "add resync 1"); err != nil {
		return err
	}
	return told.next(ctx, "update resync 1")
}

func expired(ctx context.Context, c *cluster) error {
	if err := forgets(); err != nil {
		return err
	}
	watching, err := c.client.CoreV1().ConfigMaps(c.namespace).Watch(ctx, meta.ListOptions{ResourceVersion: tooOld})
	if err != nil {
		if errors.IsResourceExpired(err) || errors.IsGone(err) {
			return nil
		}
		return err
	}
	defer watching.Stop()
	select {
	case event := <-watching.ResultChan():
		return expect(errors.ReasonForError(errors.FromObject(event.Object)), meta.StatusReasonExpired)
	case <-ctx.Done():
		return fmt.Errorf("expected a 410, got nothing")
	}
}

func relist(ctx context.Context, c *cluster) error {
	if err := forgets(); err != nil {
		return err
	}
	if _, err := c.configMap(ctx, "relist", map[string]string{"a": "1"}); err != nil {
		return err
	}
	var watches, lists atomic.Int32
	source := c.configMapsNamed("relist", func(version string) string {
		// The first watch asks for what is gone, as one that was away for long.
		if watches.Add(1) == 1 {
			return tooOld
		}
		return version
	}).(*cache.ListWatch)
	list := source.ListWithContextFunc
	source.ListWithContextFunc = func(ctx context.Context, options meta.ListOptions) (runtime.Object, error) {
		lists.Add(1)
		return list(ctx, options)
	}
	told := newTold()
	informer := cache.NewSharedInformer(source, &core.ConfigMap{}, 0)
	if _, err := informer.AddEventHandler(told.handler()); err != nil {
		return err
	}
	go informer.RunWithContext(ctx)
	if err := told.next(ctx, "add relist 1"); err != nil {
		return err
	}
	if err := until(ctx, "a second list and watch", func() bool { return lists.Load() >= 2 && watches.Load() >= 2 }); err != nil {
		return err
	}
	if err := c.change(ctx, "relist", "2"); err != nil {
		return err
	}
	return told.next(ctx, "update relist 2")
}

func reconnect(ctx context.Context, c *cluster) error {
	made, err := c.configMap(ctx, "retry", map[string]string{"a": "1"})
	if err != nil {
		return err
	}
	// Each watch ends after a second, and the watcher asks again from where it was.
	second := int64(1)
	var watches atomic.Int32
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
		watches.Add(1)
		options.LabelSelector, options.TimeoutSeconds = "name=retry", &second
		return api.Watch(ctx, options)
	}}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, made.ResourceVersion, source)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for _, value := range []string{"2", "3"} {
		before := watches.Load()
		if err := until(ctx, "another watch", func() bool { return watches.Load() > before }); err != nil {
			return err
		}
		if err := c.change(ctx, "retry", value); err != nil {
			return err
		}
		select {
		case event := <-watcher.ResultChan():
			found, ok := event.Object.(*core.ConfigMap)
			if !ok || found.Data["a"] != value {
				return fmt.Errorf("expected the value %s, got %v", value, event)
			}
		case <-ctx.Done():
			return fmt.Errorf("expected the value %s, got nothing", value)
		}
	}
	return nil
}
