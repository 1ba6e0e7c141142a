package clients;

import static clients.Checks.expect;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ConfigMapList;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Objects: created, changed in each way, listed and deleted. */
final class ObjectChecks {
    private final Checks checks;

    ObjectChecks(Checks checks) {
        this.checks = checks;
    }

    private NonNamespaceOperation<ConfigMap, ConfigMapList, Resource<ConfigMap>> maps() {
        MixedOperation<ConfigMap, ConfigMapList, Resource<ConfigMap>> all = checks.client.configMaps();
        return all.inNamespace(checks.namespace);
    }

    void add() {
        checks.add("create and get", () -> {
            maps().resource(checks.configMap("made", "a", "1")).create();
            expect(maps().withName("made").get().getData(), Map.of("a", "1"));
            expect(maps().withName("none").get(), null);
        });
        checks.add("create of what is there", () -> expect(refused(() -> maps().resource(checks.configMap("made")).create()), 409));
        checks.add("create of what is not valid", () -> expect(refused(() -> maps().resource(checks.configMap("Not_Valid")).create()), 422));
        checks.add("createOrReplace", this::createOrReplace);
        checks.add("edit", () -> {
            maps().withName("made").edit(map -> new ConfigMapBuilder(map).addToData("edited", "yes").build());
            expect(maps().withName("made").get().getData().get("edited"), "yes");
        });
        checks.add("replace with a version that is past", () -> {
            ConfigMap past = maps().withName("made").get();
            maps().withName("made").edit(map -> new ConfigMapBuilder(map).addToData("b", "2").build());
            expect(refused(() -> maps().resource(past).lockResourceVersion(past.getMetadata().getResourceVersion()).update()), 409);
        });
        checks.add("patch as JSON, merge and strategic merge", this::patch);
        checks.add("server-side apply, with a conflict and by force", this::apply);
        checks.add("list by label and in pieces", this::list);
        checks.add("delete of several", () -> {
            maps().withLabel("of", "list").delete();
            expect(maps().withLabel("of", "list").list().getItems().size(), 0);
        });
        checks.add("Deployment: create, scale, wait, delete in the foreground", this::deployment);
        checks.add("version and groups", () -> {
            // As it is: 6.9.2 itself does not read that of Kubernetes 1.33 and later, which has fields that are new to it.
            expect(checks.client.raw("/version").contains("gitVersion"), true);
            expect(checks.client.hasApiGroup("apps", true), true);
            expect(checks.client.hasApiGroup("nonsense.example.com", true), false);
        });
    }

    /** The code with which it is refused. */
    static int refused(Runnable call) {
        try {
            call.run();
        } catch (KubernetesClientException refusal) {
            return refusal.getCode();
        }
        throw new AssertionError("expected a refusal, got an answer");
    }

    @SuppressWarnings("deprecation")
    private void createOrReplace() {
        maps().resource(checks.configMap("either", "a", "1")).createOrReplace();
        maps().resource(checks.configMap("either", "a", "2")).createOrReplace();
        expect(maps().withName("either").get().getData(), Map.of("a", "2"));
    }

    private void patch() {
        maps().resource(checks.configMap("patch", "a", "1")).create();
        Resource<ConfigMap> map = maps().withName("patch");
        map.patch(PatchContext.of(PatchType.JSON), "[{\"op\":\"add\",\"path\":\"/data/b\",\"value\":\"2\"}]");
        map.patch(PatchContext.of(PatchType.JSON_MERGE), "{\"data\":{\"a\":null}}");
        map.patch(PatchContext.of(PatchType.STRATEGIC_MERGE), "{\"data\":{\"c\":\"3\"}}");
        expect(new TreeMap<>(map.get().getData()), new TreeMap<>(Map.of("b", "2", "c", "3")));
    }

    private void apply() {
        maps().resource(checks.configMap("apply", "a", "1")).fieldManager("first").serverSideApply();
        expect(refused(() -> maps().resource(checks.configMap("apply", "a", "2")).fieldManager("second").serverSideApply()), 409);
        maps().resource(checks.configMap("apply", "a", "2")).fieldManager("second").forceConflicts().serverSideApply();
        expect(maps().withName("apply").get().getData(), Map.of("a", "2"));
    }

    private void list() {
        for (int number = 0; number < 5; number++) {
            ConfigMap made = new ConfigMapBuilder(checks.configMap("list-" + number)).editMetadata().addToLabels("of", "list")
                    .endMetadata().build();
            maps().resource(made).create();
        }
        expect(maps().withLabelIn("name", "list-1", "list-3").list().getItems().size(), 2);
        expect(maps().withField("metadata.name", "list-4").list().getItems().size(), 1);
        int pieces = 0;
        int seen = 0;
        String next = null;
        do {
            ConfigMapList piece = maps().withLabel("of", "list")
                    .list(new ListOptionsBuilder().withLimit(2L).withContinue(next).build());
            pieces++;
            seen += piece.getItems().size();
            next = piece.getMetadata().getContinue();
        } while (next != null && !next.isEmpty());
        expect(pieces + " " + seen, "3 5");
    }

    private void deployment() {
        Deployment made = new DeploymentBuilder().withNewMetadata().withName("d").endMetadata().withNewSpec().withReplicas(0)
                .withNewSelector().addToMatchLabels("app", "d").endSelector().withNewTemplate().withNewMetadata()
                .addToLabels("app", "d").endMetadata().withNewSpec().withTerminationGracePeriodSeconds(1L).addNewContainer()
                .withName("main").withImage(checks.image).withCommand("sleep", "1000").endContainer().endSpec().endTemplate()
                .endSpec().build();
        var deployments = checks.client.apps().deployments().inNamespace(checks.namespace);
        deployments.resource(made).create();
        deployments.withName("d").scale(1);
        deployments.withName("d").waitUntilReady(Checks.PATIENCE, TimeUnit.SECONDS);
        deployments.withName("d").withPropagationPolicy(DeletionPropagation.FOREGROUND).delete();
        deployments.withName("d").waitUntilCondition(java.util.Objects::isNull, Checks.PATIENCE, TimeUnit.SECONDS);
        expect(checks.client.pods().inNamespace(checks.namespace).withLabel("app", "d").list().getItems().size(), 0);
    }
}
