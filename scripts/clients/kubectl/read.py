"""Looking at objects and at what the server offers."""

import json

from lib.checks import expect, expect_in

from objects import config_map

NAMES = ["r1", "r2", "r3", "r4", "r5"]


def names(output):
    return [line.rpartition("/")[2] for line in output.split()]


def add(suite):
    check = suite.check

    @check("create several objects in one file")
    def _(kubectl):
        objects = [
            config_map(name, {"of": "read", "odd": str(number % 2)}, number=str(9 - number))
            for number, name in enumerate(NAMES)
        ]
        expect(kubectl.create(*objects).count("created"), len(NAMES))

    forms(check)
    choices(check)
    watches(check)
    server(check)


def forms(check):
    @check("get as a table")
    def _(kubectl):
        lines = kubectl.run("get", "configmap", "r1").splitlines()
        expect([lines[0].split(), lines[1].split()[:2]], [["NAME", "DATA", "AGE"], ["r1", "1"]])

    @check("get -o wide of nodes")
    def _(kubectl):
        heading = kubectl.run("get", "nodes", "-o", "wide").splitlines()[0]
        expect_in(heading, "STATUS", "ROLES", "VERSION", "INTERNAL-IP", "CONTAINER-RUNTIME")

    @check("get -o yaml")
    def _(kubectl):
        text = kubectl.run("get", "configmap", "r1", "-o", "yaml")
        expect_in(text, "apiVersion: v1\n", "kind: ConfigMap\n", '  number: "9"\n', "  name: r1\n")

    @check("get -o json of a list")
    def _(kubectl):
        found = json.loads(kubectl.run("get", "configmaps", "-l", "of=read", "-o", "json"))
        kinds = {item["kind"] for item in found["items"]}
        expect((found["kind"], kinds, len(found["items"])), ("List", {"ConfigMap"}, 5))

    @check("get -o name")
    def _(kubectl):
        expect(kubectl.run("get", "cm", "r1", "r2", "-o", "name"), "configmap/r1\nconfigmap/r2\n")

    @check("get -o jsonpath")
    def _(kubectl):
        path = "jsonpath={range .items[*]}{.metadata.name}={.data.number} {end}"
        expect(kubectl.run("get", "cm", "-l", "of=read", "-o", path), "r1=9 r2=8 r3=7 r4=6 r5=5 ")

    @check("get -o custom-columns")
    def _(kubectl):
        columns = "custom-columns=WHO:.metadata.name,N:.data.number"
        lines = kubectl.run("get", "cm", "r1", "r2", "-o", columns).splitlines()
        expect([line.split() for line in lines], [["WHO", "N"], ["r1", "9"], ["r2", "8"]])

    @check("get -o go-template")
    def _(kubectl):
        expect(kubectl.run("get", "cm", "r1", "-o", "go-template={{.data.number}}"), "9")

    @check("get --show-labels and -L")
    def _(kubectl):
        lines = kubectl.run("get", "cm", "r1", "-L", "odd", "--show-labels").splitlines()
        expect(lines[0].split(), ["NAME", "DATA", "AGE", "ODD", "LABELS"])
        expect(lines[1].split()[3:], ["0", "odd=0,of=read"])

    @check("get of several kinds")
    def _(kubectl):
        found = names(kubectl.run("get", "cm/r1", "sa/default", "-o", "name"))
        expect(found, ["r1", "default"])

    @check("get in all namespaces")
    def _(kubectl):
        lines = kubectl.run("get", "serviceaccounts", "-A", "--no-headers").splitlines()
        found = {tuple(line.split()[:2]) for line in lines}
        expect({("default", "default"), (kubectl.namespace, "default")} <= found, True)

    @check("get of what is not there")
    def _(kubectl):
        expect(
            kubectl.refused("get", "cm", "none"),
            'Error from server (NotFound): configmaps "none" not found\n',
        )
        expect(kubectl.run("get", "cm", "none", "--ignore-not-found"), "")
        expect_in(kubectl.refused("get", "nonsense"), 'have a resource type "nonsense"')

    @check("describe")
    def _(kubectl):
        text = kubectl.run("describe", "configmap", "r1")
        expect_in(text, "Name:         r1\n", "of=read", "Data\n====\nnumber:\n----\n9\n")
        expect_in(kubectl.run("describe", "node"), "Capacity:", "Allocated resources:", "Ready")
        expect_in(kubectl.run("describe", "namespace", kubectl.namespace), "Status:       Active")


def choices(check):
    @check("get -l")
    def _(kubectl):
        for selector, wanted in [
            ("of=read,odd=1", ["r2", "r4"]),
            ("of=read,odd!=1", ["r1", "r3", "r5"]),
            ("of=read,odd in (1,2)", ["r2", "r4"]),
            ("of=read,odd notin (0)", ["r2", "r4"]),
            ("of=read,!even", NAMES),
        ]:
            expect(names(kubectl.run("get", "cm", "-l", selector, "-o", "name")), wanted)

    @check("get --field-selector")
    def _(kubectl):
        found = kubectl.run("get", "cm", "--field-selector", "metadata.name=r3", "-o", "name")
        expect(names(found), ["r3"])
        message = kubectl.refused("get", "cm", "--field-selector", "data.n=3")
        expect_in(message, '"data.n" is not a known field selector')

    @check("get --sort-by")
    def _(kubectl):
        sorted_by = kubectl.run("get", "cm", "-l", "of=read", "--sort-by=.data.number", "-o", "name")
        expect(names(sorted_by), NAMES[::-1])

    @check("get --chunk-size")
    def _(kubectl):
        words = ["get", "cm", "-l", "of=read", "--chunk-size=2"]
        expect(names(kubectl.run(*words, "-o", "name")), NAMES)
        # One request for each two, as it says itself.
        _, _, said = kubectl.ask(*words, "-v=8")
        expect(said.count("limit=2"), said.count("/configmaps?"))
        expect_in(said, "continue=")

    @check("get --raw")
    def _(kubectl):
        expect(json.loads(kubectl.run("get", "--raw", "/version"))["major"], "1")
        expect(kubectl.run("get", "--raw", "/readyz"), "ok")
        expect_in(kubectl.refused("get", "--raw", "/nonsense"), "NotFound")


def watches(check):
    @check("get --watch")
    def _(kubectl):
        with kubectl.start("get", "cm", "-l", "of=watch", "--watch", "-o", "name") as seen:
            kubectl.create(config_map("w1", {"of": "watch"}))
            expect(seen.next(), "configmap/w1")
            kubectl.run("label", "cm", "w1", "changed=yes")
            expect(seen.next(), "configmap/w1")

    @check("get --watch as a table")
    def _(kubectl):
        with kubectl.watch("cm", "w1") as seen:
            expect(seen.next().split(), ["NAME", "DATA", "AGE"])
            expect(seen.next().split()[:2], ["w1", "0"])
            kubectl.run("patch", "cm", "w1", "-p", '{"data":{"a":"b"}}')
            expect(seen.next().split()[:2], ["w1", "1"])

    @check("get --watch-only --output-watch-events")
    def _(kubectl):
        words = ["--watch-only", "--output-watch-events", "-o", "jsonpath={.type}{'\\n'}"]
        with kubectl.start("get", "cm", "w1", *words) as seen:
            # It says nothing before the first change, so there are some until it has seen one.
            for number in range(100):
                kubectl.run("annotate", "--overwrite", "cm", "w1", f"n={number}")
                if not seen.lines.empty():
                    break
            expect(seen.next(), "MODIFIED")
            kubectl.run("delete", "cm", "w1")
            seen.until("DELETED")


def server(check):
    @check("version")
    def _(kubectl):
        found = json.loads(kubectl.run("version", "-o", "json"))
        expect_in(found["serverVersion"]["gitVersion"], "v1.")

    @check("cluster-info")
    def _(kubectl):
        expect_in(kubectl.run("cluster-info"), "is running at", "https://")

    @check("api-versions")
    def _(kubectl):
        found = set(kubectl.run("api-versions").split())
        expect({"v1", "apps/v1", "coordination.k8s.io/v1", "storage.k8s.io/v1"} <= found, True)

    @check("api-resources")
    def _(kubectl):
        found = kubectl.run("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        expect({"pods", "configmaps", "deployments.apps"} <= set(found), True)
        expect("nodes" in found, False)
        lines = kubectl.run("api-resources", "--api-group=apps", "--no-headers").splitlines()
        expect(any(line.split()[:2] == ["deployments", "deploy"] for line in lines), True)

    @check("explain", needs="schemas")
    def _(kubectl):
        expect_in(kubectl.run("explain", "pods"), "Pod", "FIELDS:", "spec")
        text = kubectl.run("explain", "deployment.spec.template.spec.containers.image")
        expect_in(text, "image", "<string>")

    @check("explain --recursive", needs="schemas")
    def _(kubectl):
        expect_in(kubectl.run("explain", "configmap", "--recursive"), "binaryData", "ownerReferences")

    @check("auth can-i")
    def _(kubectl):
        expect(kubectl.run("auth", "can-i", "create", "pods"), "yes\n")
        expect_in(kubectl.run("auth", "can-i", "--list"), "Resources", "[*]")
        stranger = "system:serviceaccount:default:nobody-binds-this"
        code, said, _ = kubectl.ask("auth", "can-i", "create", "pods", f"--as={stranger}")
        expect((code, said), (1, "no\n"))

    @check("auth whoami", since=(1, 28))
    def _(kubectl):
        expect_in(kubectl.run("auth", "whoami"), "Username", "system:masters")

    @check("top without metrics")
    def _(kubectl):
        expect_in(kubectl.refused("top", "node"), "Metrics API not available")
        expect_in(kubectl.refused("top", "pod"), "Metrics API not available")

    @check("cordon and uncordon")
    def _(kubectl):
        node = kubectl.run("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
        try:
            expect_in(kubectl.run("cordon", node), "cordoned")
            expect_in(kubectl.run("get", "node", node), "SchedulingDisabled")
        finally:
            said = kubectl.run("uncordon", node)
        expect_in(said, "uncordoned")
        expect("SchedulingDisabled" in kubectl.run("get", "node", node), False)
