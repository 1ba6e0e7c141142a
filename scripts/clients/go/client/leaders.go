package main

import (
	"context"
	"fmt"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var leaders = []check{
	{"leader election: another takes over when the leader lets go", handOver},
	{"leader election: another takes over when the leader dies", takeOver},
}

// candidate tries to lead until its context ends, and says when it does.
func (c *cluster) candidate(ctx context.Context, lease, name string, letGo bool) (<-chan string, <-chan struct{}, error) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, c.namespace, lease,
		c.client.CoreV1(), c.client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name})
	if err != nil {
		return nil, nil, err
	}
	leads, ended := make(chan string, 1), make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   3 * time.Second,
		RenewDeadline:   2 * time.Second,
		RetryPeriod:     200 * time.Millisecond,
		ReleaseOnCancel: letGo,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { leads <- name },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	go func() {
		defer close(ended)
		elector.Run(ctx)
	}()
	return leads, ended, nil
}

func waitFor(ctx context.Context, leads <-chan string) error {
	select {
	case <-leads:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("expected a leader, got none")
	}
}

func handOver(ctx context.Context, c *cluster) error { return c.succeed(ctx, "let-go", true) }

func takeOver(ctx context.Context, c *cluster) error { return c.succeed(ctx, "die", false) }

// succeed ends the first of two candidates, and has the second lead.
func (c *cluster) succeed(ctx context.Context, lease string, letGo bool) error {
	first, end := context.WithCancel(ctx)
	defer end()
	leads, ended, err := c.candidate(first, lease, "first", letGo)
	if err != nil {
		return err
	}
	if err := waitFor(ctx, leads); err != nil {
		return err
	}
	second, endSecond := context.WithCancel(ctx)
	defer endSecond()
	leadsNext, _, err := c.candidate(second, lease, "second", letGo)
	if err != nil {
		return err
	}
	end()
	<-ended
	if letGo {
		// One that lets go leaves no time in which nobody leads.
		found, err := c.client.CoordinationV1().Leases(c.namespace).Get(ctx, lease, meta.GetOptions{})
		if err != nil {
			return err
		}
		if holder := found.Spec.HolderIdentity; holder != nil && *holder == "first" {
			return fmt.Errorf("expected the lease to be let go, but its holder is still %q", *holder)
		}
	}
	if err := waitFor(ctx, leadsNext); err != nil {
		return err
	}
	found, err := c.client.CoordinationV1().Leases(c.namespace).Get(ctx, lease, meta.GetOptions{})
	if err != nil {
		return err
	}
	transitions := int32(0)
	if found.Spec.LeaseTransitions != nil {
		transitions = *found.Spec.LeaseTransitions
	}
	return expect([]any{*found.Spec.HolderIdentity, transitions > 0}, []any{"second", true})
}
