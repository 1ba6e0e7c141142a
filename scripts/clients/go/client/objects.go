package main

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

var objects = []check{
	{"discovery and the mapping of kinds", mapKinds},
	{"create, update, and an update that comes too late", updateTwice},
	{"retry on conflict", retryConflict},
	{"patch as JSON, merge and strategic merge", patchEach},
	{"server-side apply, with a conflict, by force and by omission", apply},
	{"objects as Protocol Buffers", protobuf},
	{"dynamic client", useDynamic},
	{"metadata client", useMetadata},
	{"paging", pages},
	{"a continue token that is not one", wrongToken},
	{"delete of a collection", deleteAll},
}

func mapKinds(_ context.Context, c *cluster) error {
	found, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	return expect(mapping.Resource, "apps/v1, Resource=deployments")
}

func updateTwice(ctx context.Context, c *cluster) error {
	first, err := c.configMap(ctx, "update", map[string]string{"a": "1"})
	if err != nil {
		return err
	}
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	changed := first.DeepCopy()
	changed.Data["a"] = "2"
	if _, err = api.Update(ctx, changed, meta.UpdateOptions{}); err != nil {
		return err
	}
	_, err = api.Update(ctx, first, meta.UpdateOptions{})
	return expect(errors.ReasonForError(err), meta.StatusReasonConflict)
}

func retryConflict(ctx context.Context, c *cluster) error {
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	tries := 0
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		found, err := api.Get(ctx, "update", meta.GetOptions{})
		if err != nil {
			return err
		}
		if tries++; tries == 1 {
			other := found.DeepCopy()
			other.Data["b"] = "other"
			if _, err := api.Update(ctx, other, meta.UpdateOptions{}); err != nil {
				return err
			}
		}
		found.Data["a"] = "3"
		_, err = api.Update(ctx, found, meta.UpdateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	found, err := api.Get(ctx, "update", meta.GetOptions{})
	if err != nil {
		return err
	}
	return expect([]any{tries, found.Data}, []any{2, map[string]string{"a": "3", "b": "other"}})
}

func patchEach(ctx context.Context, c *cluster) error {
	if _, err := c.configMap(ctx, "patch", map[string]string{"a": "1"}); err != nil {
		return err
	}
	for _, patch := range []struct {
		kind     types.PatchType
		body     string
		expected map[string]string
	}{
		{types.JSONPatchType, `[{"op":"add","path":"/data/b","value":"2"}]`, map[string]string{"a": "1", "b": "2"}},
		{types.MergePatchType, `{"data":{"a":null}}`, map[string]string{"b": "2"}},
		{types.StrategicMergePatchType, `{"data":{"b":"3"}}`, map[string]string{"b": "3"}},
	} {
		api := c.client.CoreV1().ConfigMaps(c.namespace)
		found, err := api.Patch(ctx, "patch", patch.kind, []byte(patch.body), meta.PatchOptions{})
		if err != nil {
			return err
		}
		if err := expect(found.Data, patch.expected); err != nil {
			return fmt.Errorf("%s: %w", patch.kind, err)
		}
	}
	return nil
}

func apply(ctx context.Context, c *cluster) error {
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	by := func(manager string, force bool, data map[string]string) (*core.ConfigMap, error) {
		wanted := applycore.ConfigMap("apply", c.namespace).WithData(data)
		return api.Apply(ctx, wanted, meta.ApplyOptions{FieldManager: manager, Force: force})
	}
	if _, err := by("first", false, map[string]string{"a": "1", "b": "2"}); err != nil {
		return err
	}
	if _, err := by("second", false, map[string]string{"a": "2"}); !errors.IsConflict(err) {
		return fmt.Errorf("expected a conflict, got %w", err)
	}
	if _, err := by("second", true, map[string]string{"a": "2"}); err != nil {
		return err
	}
	found, err := by("first", false, nil)
	if err != nil {
		return err
	}
	if err := expect(found.Data, map[string]string{"a": "2"}); err != nil {
		return err
	}
	// What one has applied can be taken out again and applied as it is.
	extracted, err := applycore.ExtractConfigMap(found, "second")
	if err != nil {
		return err
	}
	return expect(extracted.Data, map[string]string{"a": "2"})
}

func protobuf(ctx context.Context, c *cluster) error {
	config := rest.CopyConfig(c.config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	made := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "binary"}, Data: map[string]string{"a": "1"}}
	if _, err := client.CoreV1().ConfigMaps(c.namespace).Create(ctx, made, meta.CreateOptions{}); err != nil {
		return err
	}
	found, err := client.CoreV1().ConfigMaps(c.namespace).Get(ctx, "binary", meta.GetOptions{})
	if err != nil {
		return err
	}
	return expect(found.Data, made.Data)
}

func useDynamic(ctx context.Context, c *cluster) error {
	client, err := dynamic.NewForConfig(c.config)
	if err != nil {
		return err
	}
	api := client.Resource(configMaps).Namespace(c.namespace)
	made := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "dynamic"}, "data": map[string]any{"a": "1"},
	}}
	if _, err := api.Create(ctx, made, meta.CreateOptions{}); err != nil {
		return err
	}
	found, err := api.Apply(ctx, "dynamic", made, meta.ApplyOptions{FieldManager: "dynamic", Force: true})
	if err != nil {
		return err
	}
	if err := expect(found.Object["data"], made.Object["data"]); err != nil {
		return err
	}
	if err := api.Delete(ctx, "dynamic", meta.DeleteOptions{}); err != nil {
		return err
	}
	_, err = api.Get(ctx, "dynamic", meta.GetOptions{})
	return expect(errors.ReasonForError(err), meta.StatusReasonNotFound)
}

func useMetadata(ctx context.Context, c *cluster) error {
	client, err := metadata.NewForConfig(c.config)
	if err != nil {
		return err
	}
	found, err := client.Resource(configMaps).Namespace(c.namespace).Get(ctx, "update", meta.GetOptions{})
	if err != nil {
		return err
	}
	return expect([]string{found.Name, found.Namespace}, []string{"update", c.namespace})
}

func pages(ctx context.Context, c *cluster) error {
	for number := range 7 {
		if _, err := c.configMap(ctx, fmt.Sprintf("page-%d", number), nil); err != nil {
			return err
		}
	}
	requests, seen := 0, 0
	reader := pager.New(func(ctx context.Context, options meta.ListOptions) (runtime.Object, error) {
		requests++
		options.LabelSelector = "name in (page-0,page-1,page-2,page-3,page-4,page-5,page-6)"
		return c.client.CoreV1().ConfigMaps(c.namespace).List(ctx, options)
	})
	reader.PageSize = 3
	err := reader.EachListItem(ctx, meta.ListOptions{}, func(runtime.Object) error {
		seen++
		return nil
	})
	if err != nil {
		return err
	}
	return expect([]int{requests, seen}, []int{3, 7})
}

func wrongToken(ctx context.Context, c *cluster) error {
	_, err := c.client.CoreV1().ConfigMaps(c.namespace).List(ctx, meta.ListOptions{Limit: 1, Continue: "nonsense"})
	return expect(errors.ReasonForError(err), meta.StatusReasonBadRequest)
}

func deleteAll(ctx context.Context, c *cluster) error {
	api := c.client.CoreV1().ConfigMaps(c.namespace)
	only := meta.ListOptions{LabelSelector: "name"}
	if err := api.DeleteCollection(ctx, meta.DeleteOptions{}, only); err != nil {
		return err
	}
	left, err := api.List(ctx, only)
	if err != nil {
		return err
	}
	return expect(len(left.Items), 0)
}
