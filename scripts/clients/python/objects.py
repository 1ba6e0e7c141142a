"""Objects through the typed, the dynamic and the generic part of the client."""

import json

from kubernetes import client, dynamic, utils
from kubernetes.client import ApiException

from lib.checks import Failed, expect, expect_in, fresh, until


def refused(status, reason, call, *arguments, **more):
    """The call must be answered with this; answers with the message."""
    try:
        call(*arguments, **more)
    except ApiException as error:
        body = json.loads(error.body)
        expect((error.status, body["reason"]), (status, reason))
        return body["message"]
    raise Failed(f"expected {status} {reason}, got an answer")


def sending(kind):
    """The core API with this content type, for which its methods have no parameter."""
    generic = client.ApiClient()
    generic.set_default_header("Content-Type", kind)
    return client.CoreV1Api(generic)


def add(suite):
    typed(suite.check)
    lists(suite.check)
    patches(suite.check)
    other_ways(suite.check)


def typed(check):
    @check("version and resources")
    def _(cluster):
        expect(client.VersionApi().get_code().major, "1")
        found = {resource.name for resource in cluster.core.get_api_resources().resources}
        expect({"pods", "pods/log", "configmaps"} <= found, True)
        expect("apps" in {group.name for group in client.ApisApi().get_api_versions().groups}, True)

    @check("create and read")
    def _(cluster):
        made = cluster.config_map("a", one="1")
        read = cluster.core.read_namespaced_config_map("a", cluster.namespace)
        expect((read.data, read.metadata.uid), ({"one": "1"}, made.metadata.uid))

    @check("create of what is there, read of what is not")
    def _(cluster):
        expect_in(refused(409, "AlreadyExists", cluster.config_map, "a"), '"a" already exists')
        read = cluster.core.read_namespaced_config_map
        expect_in(refused(404, "NotFound", read, "none", cluster.namespace), '"none" not found')

    @check("create of what is not valid")
    def _(cluster):
        expect_in(refused(422, "Invalid", cluster.config_map, "Not_Valid"), "metadata.name")

    @check("replace, and replace of what has changed since")
    def _(cluster):
        first = cluster.core.read_namespaced_config_map("a", cluster.namespace)
        first.data = {"two": "2"}
        replace = cluster.core.replace_namespaced_config_map
        expect(replace("a", cluster.namespace, first).data, {"two": "2"})
        refused(409, "Conflict", replace, "a", cluster.namespace, first)

    @check("delete, with a condition on the object")
    def _(cluster):
        made = cluster.config_map("gone")
        delete = cluster.core.delete_namespaced_config_map
        other = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other"))
        refused(409, "Conflict", delete, "gone", cluster.namespace, body=other)
        same = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=made.metadata.uid))
        expect(delete("gone", cluster.namespace, body=same).status, "Success")


def lists(check):
    @check("list in pieces")
    def _(cluster):
        for number in range(5):
            cluster.config_map(f"l{number}", {"of": "list"}, number=str(number))
        names, token, pieces = [], None, 0
        while True:
            piece = cluster.core.list_namespaced_config_map(
                cluster.namespace, label_selector="of=list", limit=2, _continue=token
            )
            names += [item.metadata.name for item in piece.items]
            token, pieces = piece.metadata._continue, pieces + 1
            if not token:
                break
        expect((names, pieces), ([f"l{number}" for number in range(5)], 3))

    @check("list by a field, and over all namespaces")
    def _(cluster):
        found = cluster.core.list_config_map_for_all_namespaces(field_selector="metadata.name=l3")
        expect([item.data for item in found.items], [{"number": "3"}])

    @check("delete of a collection")
    def _(cluster):
        cluster.core.delete_collection_namespaced_config_map(
            cluster.namespace, label_selector="of=list"
        )
        found = cluster.core.list_namespaced_config_map(cluster.namespace, label_selector="of=list")
        expect(found.items, [])


def patches(check):
    @check("patch as JSON, merge and strategic merge")
    def _(cluster):
        cluster.config_map("p", one="1")
        for kind, body, expected in [
            ("application/json-patch+json", [{"op": "add", "path": "/data/two", "value": "2"}],
             {"one": "1", "two": "2"}),
            ("application/merge-patch+json", {"data": {"one": None}}, {"two": "2"}),
            ("application/strategic-merge-patch+json", {"data": {"two": "3"}}, {"two": "3"}),
        ]:
            said = sending(kind).patch_namespaced_config_map("p", cluster.namespace, body)
            expect(said.data, expected)

    @check("apply on the server's side, with a conflict")
    def _(cluster):
        core = sending("application/apply-patch+yaml")

        def apply(value, manager, **more):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"},
                    "data": {"one": value}}
            return core.patch_namespaced_config_map(
                "s", cluster.namespace, body, field_manager=manager, **more)

        expect(apply("1", "first").data, {"one": "1"})
        expect_in(refused(409, "Conflict", apply, "2", "second"), 'conflict with "first"', ".data.one")
        expect(apply("2", "second", force=True).data, {"one": "2"})

    @check("scale")
    def _(cluster):
        labels = {"app": "d"}
        container = {"name": "main", "image": cluster.image, "command": ["sleep", "1000"]}
        spec = {"replicas": 0, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {
                    "terminationGracePeriodSeconds": 1, "containers": [container]}}}
        cluster.apps.create_namespaced_deployment(
            cluster.namespace, {"metadata": {"name": "d"}, "spec": spec})
        scale = {"spec": {"replicas": 1}}
        said = cluster.apps.patch_namespaced_deployment_scale("d", cluster.namespace, scale)
        expect(said.spec.replicas, 1)
        until(lambda: cluster.apps.read_namespaced_deployment_status(
            "d", cluster.namespace).status.available_replicas == 1, "a pod that is available")
        cluster.apps.delete_namespaced_deployment(
            "d", cluster.namespace, propagation_policy="Foreground")
        until(lambda: not cluster.core.list_namespaced_pod(
            cluster.namespace, label_selector="app=d").items, "no pods")


def other_ways(check):
    @check("the dynamic client")
    def _(cluster):
        found = dynamic.DynamicClient(client.ApiClient())
        maps = found.resources.get(api_version="v1", kind="ConfigMap")
        name = fresh("dynamic")
        body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": {"a": "b"}}
        expect(maps.create(body=body, namespace=cluster.namespace).data.a, "b")
        said = maps.server_side_apply(body=body, namespace=cluster.namespace, field_manager="dynamic")
        expect(said.metadata.name, name)
        expect(maps.get(name=name, namespace=cluster.namespace).kind, "ConfigMap")
        maps.delete(name=name, namespace=cluster.namespace)

    @check("create from a dictionary")
    def _(cluster):
        body = {"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "made"},
             "spec": {"ports": [{"port": 80}]}}]}
        utils.create_from_dict(client.ApiClient(), body, namespace=cluster.namespace)
        read = cluster.core.read_namespaced_service("made", cluster.namespace)
        expect(read.spec.ports[0].target_port, 80)

    @check("a token, and what its account may ask")
    def _(cluster):
        body = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
        made = cluster.core.create_namespaced_service_account_token("default", cluster.namespace, body)
        known, configuration = client.Configuration.get_default_copy(), client.Configuration()
        configuration.host, configuration.ssl_ca_cert = known.host, known.ssl_ca_cert
        configuration.api_key["authorization"] = "Bearer " + made.status.token
        account = client.AuthenticationV1Api(client.ApiClient(configuration))
        said = account.create_self_subject_review({"spec": {}})
        expect(said.status.user_info.username, f"system:serviceaccount:{cluster.namespace}:default")
