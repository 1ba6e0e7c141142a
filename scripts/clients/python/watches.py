"""Watches from every point of time."""

from kubernetes.client import ApiException
from kubernetes.watch import Watch

from lib.checks import PATIENCE, Failed, expect


def events(cluster, count, **more):
    """The first events of a watch on the config maps with the label of=watch."""
    watch, seen = Watch(), []
    options = {"label_selector": "of=watch", "timeout_seconds": PATIENCE, **more}
    for event in watch.stream(cluster.core.list_namespaced_config_map, cluster.namespace, **options):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == count:
            watch.stop()
    return seen


def add(suite):
    check = suite.check

    @check("watch from a list on")
    def _(cluster):
        version = cluster.core.list_namespaced_config_map(cluster.namespace).metadata.resource_version
        cluster.config_map("w", {"of": "watch"})
        cluster.core.patch_namespaced_config_map("w", cluster.namespace, {"data": {"a": "b"}})
        cluster.core.delete_namespaced_config_map("w", cluster.namespace)
        wanted = [(kind, "w") for kind in ("ADDED", "MODIFIED", "DELETED")]
        expect(events(cluster, 3, resource_version=version), wanted)

    @check("watch without a version begins with what is there")
    def _(cluster):
        cluster.config_map("x", {"of": "watch"})
        expect(events(cluster, 1), [("ADDED", "x")])

    @check("watch with bookmarks and the first state")
    def _(cluster):
        watch, seen = Watch(), []
        for event in watch.stream(
            cluster.core.list_namespaced_config_map, cluster.namespace, label_selector="of=watch",
            send_initial_events=True, resource_version_match="NotOlderThan",
            allow_watch_bookmarks=True, timeout_seconds=PATIENCE,
        ):
            seen.append(event["type"])
            if event["type"] == "BOOKMARK":
                watch.stop()
        expect(seen, ["ADDED", "BOOKMARK"])

    @check("watch ends after its time, and goes on from where it was")
    def _(cluster):
        watch, seen = Watch(), []
        for event in watch.stream(cluster.core.list_namespaced_config_map, cluster.namespace,
                                  label_selector="of=watch", timeout_seconds=1):
            seen.append(event["type"])
        expect(seen, ["ADDED"])
        cluster.config_map("y", {"of": "watch"})
        expect(events(cluster, 1, resource_version=watch.resource_version), [("ADDED", "y")])

    @check("watch from a version that is gone is answered with 410", needs="forgetting")
    def _(cluster):
        try:
            seen = events(cluster, 1, resource_version="1")
        except ApiException as error:
            expect(error.status, 410)
        else:
            raise Failed(f"expected 410, got {seen}")
