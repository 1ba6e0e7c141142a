package clients;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Watches and informers, also over a wire that is cut. */
final class WatchChecks {
    private final Checks checks;

    WatchChecks(Checks checks) {
        this.checks = checks;
    }

    void add() {
        checks.add("watch", () -> {
            Seen seen = new Seen();
            try (Watch watch = checks.client.configMaps().inNamespace(checks.namespace).withLabel("name", "watch").watch(seen)) {
                create("watch");
                seen.next("ADDED 0");
                change("watch", "1");
                seen.next("MODIFIED 1");
                checks.client.configMaps().inNamespace(checks.namespace).withName("watch").delete();
                seen.next("DELETED 1");
            }
        });
        checks.add("watch goes on after its connection was cut", this::cutWatch);
        checks.add("watch from a version that is gone ends with 410", this::gone);
        checks.add("informer", () -> informer(false));
        checks.add("informer goes on after its connection was cut", () -> informer(true));
    }

    private void create(String name) {
        checks.client.configMaps().inNamespace(checks.namespace).resource(checks.configMap(name, "a", "0")).create();
    }

    private void change(String name, String value) {
        checks.client.configMaps().inNamespace(checks.namespace).withName(name)
                .edit(map -> new ConfigMapBuilder(map).addToData("a", value).build());
    }

    private void cutWatch() throws Exception {
        create("cut");
        Seen seen = new Seen();
        try (Watch watch = checks.wired.configMaps().inNamespace(checks.namespace).withName("cut").watch(seen)) {
            seen.next("ADDED 0");
            for (int number = 1; number <= 3; number++) {
                checks.wire.cut();
                change("cut", "" + number);
                seen.next("MODIFIED " + number);
            }
        }
    }

    private void gone() throws Exception {
        Seen seen = new Seen();
        try (Watch watch = checks.client.configMaps().inNamespace(checks.namespace)
                .watch(new ListOptionsBuilder().withResourceVersion("1").build(), seen)) {
            seen.next("closed 410");
        } catch (io.fabric8.kubernetes.client.KubernetesClientException refusal) {
            Checks.expect(refusal.getCode(), 410);
        }
    }

    private void informer(boolean cut) throws Exception {
        String name = cut ? "informer-cut" : "informer";
        create(name);
        Seen seen = new Seen();
        try (SharedIndexInformer<ConfigMap> informer = checks.wired.configMaps().inNamespace(checks.namespace)
                .withLabel("name", name).inform(seen.handler())) {
            seen.next("ADDED 0");
            Checks.until("a synced informer", informer::hasSynced);
            for (int number = 1; number <= 3; number++) {
                if (cut) {
                    checks.wire.cut();
                }
                change(name, "" + number);
                seen.next("MODIFIED " + number);
            }
            checks.client.configMaps().inNamespace(checks.namespace).withName(name).delete();
            seen.next("DELETED 3");
            Checks.expect(informer.getStore().list().size(), 0);
        }
    }

    /** What a watch or an informer has said. */
    private static final class Seen implements Watcher<ConfigMap> {
        private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

        private void say(String what, ConfigMap map) {
            events.add(what + " " + map.getData().get("a"));
        }

        ResourceEventHandler<ConfigMap> handler() {
            return new ResourceEventHandler<>() {
                @Override
                public void onAdd(ConfigMap map) {
                    say("ADDED", map);
                }

                @Override
                public void onUpdate(ConfigMap before, ConfigMap map) {
                    say("MODIFIED", map);
                }

                @Override
                public void onDelete(ConfigMap map, boolean unknown) {
                    say("DELETED", map);
                }
            };
        }

        @Override
        public void eventReceived(Action action, ConfigMap map) {
            say(action.name(), map);
        }

        @Override
        public void onClose(WatcherException cause) {
            events.add("closed " + (cause.isHttpGone() ? "410" : cause.getMessage()));
        }

        /** Reads up to what is expected. */
        void next(String expected) throws InterruptedException {
            StringBuilder before = new StringBuilder();
            while (true) {
                String event = events.poll(Checks.PATIENCE, TimeUnit.SECONDS);
                if (expected.equals(event)) {
                    return;
                }
                before.append(event).append(", ");
                if (event == null || event.startsWith("closed")) {
                    throw new AssertionError("expected " + expected + ", got " + before);
                }
            }
        }
    }
}
