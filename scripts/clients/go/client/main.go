// Command client holds the cluster of KUBECONFIG to what client-go expects of one. IMAGE is an image with a shell and python3.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long anything may take before it counts as never.
const patience = time.Minute

// cluster is what the checks work with.
type cluster struct {
	config    *rest.Config
	client    *kubernetes.Clientset
	namespace string
	image     string
}

// errForgetting says that a check needs a server that has forgotten its first versions, and this one has not.
var errForgetting = errors.New("the cluster has no forgetting")

func forgets() error {
	if slices.Contains(strings.Fields(os.Getenv("LACKS")), "forgetting") {
		return errForgetting
	}
	return nil
}

type check struct {
	name string
	run  func(ctx context.Context, c *cluster) error
}

func main() {
	failed, err := all()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func all() (failed bool, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return false, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false, err
	}
	space := &core.Namespace{ObjectMeta: meta.ObjectMeta{GenerateName: "client-go-"}}
	space, err = client.CoreV1().Namespaces().Create(context.Background(), space, meta.CreateOptions{})
	if err != nil {
		return false, err
	}
	defer func() {
		_ = client.CoreV1().Namespaces().Delete(context.Background(), space.Name, meta.DeleteOptions{})
	}()
	c := &cluster{config: config, client: client, namespace: space.Name, image: os.Getenv("IMAGE")}
	for _, part := range [][]check{objects, informers, leaders, streams} {
		for _, check := range part {
			ctx, done := context.WithTimeout(context.Background(), patience)
			if err := check.run(ctx, c); errors.Is(err, errForgetting) {
				fmt.Printf("left out %s: %s\n", check.name, err)
			} else if err != nil {
				failed = true
				fmt.Printf("FAILED %s: %s\n", check.name, strings.ReplaceAll(err.Error(), "\n", `\n`))
			} else {
				fmt.Printf("ok %s\n", check.name)
			}
			done()
		}
	}
	return failed, nil
}

// expect fails unless both read the same.
func expect(actual, expected any) error {
	if fmt.Sprint(actual) != fmt.Sprint(expected) {
		return fmt.Errorf("expected %v, got %v", expected, actual)
	}
	return nil
}

// until waits for what a look finds.
func until(ctx context.Context, what string, look func() bool) error {
	for !look() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("expected %s, got nothing in %s", what, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (c *cluster) configMap(ctx context.Context, name string, data map[string]string) (*core.ConfigMap, error) {
	made := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}, Data: data}
	return c.client.CoreV1().ConfigMaps(c.namespace).Create(ctx, made, meta.CreateOptions{})
}
