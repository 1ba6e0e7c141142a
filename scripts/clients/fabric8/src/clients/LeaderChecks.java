package clients;

import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.ConfigMapLock;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.Lock;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Leader election as Flink does it, over a ConfigMap, and over a Lease. */
final class LeaderChecks {
    private final Checks checks;

    LeaderChecks(Checks checks) {
        this.checks = checks;
    }

    void add() {
        checks.add("leader election over a ConfigMap", () -> succeed(name -> new ConfigMapLock(checks.namespace, "leader", name), true));
        checks.add("leader election over a Lease", () -> succeed(name -> new LeaseLock(checks.namespace, "leader", name), true));
        checks.add("leader election over a ConfigMap when the leader dies",
                () -> succeed(name -> new ConfigMapLock(checks.namespace, "dies", name), false));
    }

    private interface Locks {
        Lock of(String name);
    }

    /** The first leads until it ends or is lost, then the second. */
    private void succeed(Locks locks, boolean letGo) throws Exception {
        BlockingQueue<String> leaders = new LinkedBlockingQueue<>();
        CompletableFuture<?> first = elector(locks.of("first"), letGo, leaders).start();
        Checks.expect(leaders.poll(Checks.PATIENCE, TimeUnit.SECONDS), "first");
        CompletableFuture<?> second = elector(locks.of("second"), letGo, leaders).start();
        first.cancel(true);
        Checks.expect(leaders.poll(Checks.PATIENCE, TimeUnit.SECONDS), "second");
        second.cancel(true);
    }

    private LeaderElector elector(Lock lock, boolean letGo, BlockingQueue<String> leaders) {
        String name = lock.identity();
        LeaderCallbacks callbacks = new LeaderCallbacks(() -> leaders.add(name), () -> { }, leader -> { });
        LeaderElectionConfig config = new LeaderElectionConfigBuilder().withName(name).withLock(lock)
                .withLeaseDuration(Duration.ofSeconds(3)).withRenewDeadline(Duration.ofSeconds(2))
                .withRetryPeriod(Duration.ofMillis(200)).withReleaseOnCancel(letGo).withLeaderCallbacks(callbacks).build();
        return checks.client.leaderElector().withConfig(config).build();
    }
}
