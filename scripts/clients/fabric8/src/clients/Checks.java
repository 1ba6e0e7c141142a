package clients;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.net.URI;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Holds the cluster of KUBECONFIG to what fabric8 expects of one. IMAGE is an image with a shell and python3. */
public final class Checks {
    /** How long anything may take before it counts as never, in seconds. */
    static final int PATIENCE = 60;

    final KubernetesClient client;
    /** The way to the server that can be cut, and a client that goes it. */
    final Wire wire;
    final KubernetesClient wired;
    final String namespace = "fabric8-" + UUID.randomUUID().toString().substring(0, 8);
    final String image = System.getenv("IMAGE");
    private final Map<String, Check> checks = new LinkedHashMap<>();

    interface Check {
        void run() throws Exception;
    }

    private Checks() throws Exception {
        client = new KubernetesClientBuilder().build();
        URI server = URI.create(client.getConfiguration().getMasterUrl());
        wire = new Wire(server.getHost(), server.getPort());
        Config config = Config.autoConfigure(null);
        config.setMasterUrl("https://127.0.0.1:" + wire.port() + "/");
        config.setWatchReconnectInterval(100);
        wired = new KubernetesClientBuilder().withConfig(config).build();
    }

    public static void main(String[] arguments) throws Exception {
        boolean failed = new Checks().all();
        // Threads of a client may live on, whatever it is told.
        System.exit(failed ? 1 : 0);
    }

    private boolean all() {
        client.namespaces().resource(new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
                .create();
        new ObjectChecks(this).add();
        new WatchChecks(this).add();
        new LeaderChecks(this).add();
        new PodChecks(this).add();
        boolean failed = false;
        List<String> lacks = Arrays.asList(Objects.toString(System.getenv("LACKS"), "").split(" "));
        for (Map.Entry<String, Check> check : checks.entrySet()) {
            if (check.getKey().contains("410") && lacks.contains("forgetting")) {
                System.out.println("left out " + check.getKey() + ": the cluster has no forgetting");
                continue;
            }
            try {
                check.getValue().run();
                System.out.println("ok " + check.getKey());
            } catch (Exception | AssertionError problem) {
                failed = true;
                StringBuilder causes = new StringBuilder(problem instanceof AssertionError ? problem.getMessage() : problem.toString());
                for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
                    causes.append(": ").append(cause);
                }
                String text = causes.toString();
                System.out.println("FAILED " + check.getKey() + ": " + text.replace("\n", "\\n"));
            }
        }
        client.namespaces().withName(namespace).delete();
        return failed;
    }

    void add(String name, Check check) {
        checks.put(name, check);
    }

    ConfigMap configMap(String name, String... data) {
        ConfigMapBuilder made = new ConfigMapBuilder().withNewMetadata().withName(name).addToLabels("name", name)
                .endMetadata();
        for (int index = 0; index < data.length; index += 2) {
            made.addToData(data[index], data[index + 1]);
        }
        return made.build();
    }

    static void expect(Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError("expected " + expected + ", got " + actual);
        }
    }

    /** Waits for what a look finds. */
    static void until(String what, Callable<Boolean> look) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE);
        while (!look.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("expected " + what + ", got nothing in " + PATIENCE + " s");
            }
            Thread.sleep(20);
        }
    }
}
