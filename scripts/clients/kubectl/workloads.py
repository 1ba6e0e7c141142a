"""Deployments and what is made for them."""

from lib.checks import expect, expect_in, until

from objects import deployment, pod_spec


def pods_of(kubectl, name):
    return kubectl.run("get", "pods", "-l", f"app={name}", "-o", "name").split()


def gone(kubectl, names):
    until(lambda: not kubectl.run("get", *names, "--ignore-not-found"), f"the end of {names}")


def add(suite):
    rollouts(suite.check)
    changes(suite.check)
    cascades(suite.check)


def rollouts(check):
    @check("rollout status of a new Deployment")
    def _(kubectl):
        kubectl.apply(deployment("web", kubectl.image))
        expect_in(kubectl.run("rollout", "status", "deployment/web"), "successfully rolled out")

    @check("get -o wide of a Deployment")
    def _(kubectl):
        lines = kubectl.run("get", "deployment", "web", "-o", "wide").splitlines()
        heading = "NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR"
        expect(lines[0].split(), heading.split())
        row = lines[1].split()
        expect(row[:4] + row[5:], ["web", "1/1", "1", "1", "main", kubectl.image, "app=web"])

    @check("get all")
    def _(kubectl):
        said = kubectl.run("get", "all", "-l", "app=web", "-o", "name")
        expect_in(said, "pod/web-", "deployment.apps/web\n", "replicaset.apps/web-")

    @check("describe of a Deployment")
    def _(kubectl):
        text = kubectl.run("describe", "deployment", "web")
        expect_in(text, "1 desired | 1 updated | 1 total | 1 available", "NewReplicaSet:")
        expect_in(text, "ScalingReplicaSet")

    @check("wait --for=condition")
    def _(kubectl):
        expect_in(kubectl.run("wait", "--for=condition=Available", "deployment/web"), "met")
        words = ["--for=condition=Nonsense", "deployment/web", "--timeout=1s"]
        expect_in(kubectl.refused("wait", *words), "timed out waiting for the condition")

    @check("wait --for=jsonpath", since=(1, 23))
    def _(kubectl):
        kubectl.run("wait", "--for=jsonpath={.status.readyReplicas}=1", "deployment/web")

    @check("scale")
    def _(kubectl):
        expect_in(kubectl.run("scale", "deployment/web", "--replicas=2"), "scaled")
        kubectl.run("rollout", "status", "deployment/web")
        expect(len(pods_of(kubectl, "web")), 2)
        message = kubectl.refused("scale", "deployment/web", "--current-replicas=5", "--replicas=1")
        expect_in(message, "xpected")
        kubectl.run("scale", "deployment/web", "--current-replicas=2", "--replicas=1")

    @check("set image and rollout history")
    def _(kubectl):
        missing = kubectl.image + "-missing"
        expect_in(kubectl.run("set", "image", "deployment/web", f"main={missing}"), "updated")
        expect(kubectl.value(".spec.template.spec.containers[0].image", "deployment", "web"), missing)
        lines = until(
            lambda: (found := kubectl.run("rollout", "history", "deployment/web").split())
            and "2" in found
            and found,
            "a second revision",
        )
        expect(lines[lines.index("CHANGE-CAUSE") + 1 :], ["1", "<none>", "2", "<none>"])
        expect_in(kubectl.run("rollout", "history", "deployment/web", "--revision=2"), missing)

    @check("rollout status --timeout of one that does not get there")
    def _(kubectl):
        words = ["rollout", "status", "deployment/web", "--timeout=1s"]
        expect_in(kubectl.refused(*words), "timed out")

    @check("rollout undo")
    def _(kubectl):
        expect_in(kubectl.run("rollout", "undo", "deployment/web"), "rolled back")
        kubectl.run("rollout", "status", "deployment/web")
        image = kubectl.value(".spec.template.spec.containers[0].image", "deployment", "web")
        expect(image, kubectl.image)


def changes(check):
    @check("rollout pause and resume")
    def _(kubectl):
        expect_in(kubectl.run("rollout", "pause", "deployment/web"), "paused")
        expect_in(kubectl.run("set", "env", "deployment/web", "COLOUR=red"), "env updated")
        expect_in(kubectl.refused("rollout", "undo", "deployment/web"), "paused")
        expect_in(kubectl.run("rollout", "resume", "deployment/web"), "resumed")
        kubectl.run("rollout", "status", "deployment/web")
        # The pod before it may be ending still, and be the one that is chosen.
        words = ["exec", "deployment/web", "--", "sh", "-c", "echo $COLOUR"]
        until(lambda: kubectl.ask(*words)[1] == "red\n", "a pod with the variable")

    @check("rollout restart")
    def _(kubectl):
        before = pods_of(kubectl, "web")
        expect_in(kubectl.run("rollout", "restart", "deployment/web"), "restarted")
        kubectl.run("rollout", "status", "deployment/web")
        gone(kubectl, before)
        expect(len(pods_of(kubectl, "web")), 1)

    @check("rollout undo --to-revision")
    def _(kubectl):
        # To that with the variable, before the restart.
        kubectl.run("rollout", "undo", "deployment/web", "--to-revision=4")
        kubectl.run("rollout", "status", "deployment/web")
        expect(kubectl.value(".spec.template.metadata.annotations", "deployment", "web"), "")

    @check("set resources, set env --list")
    def _(kubectl):
        kubectl.run("scale", "deployment/web", "--replicas=0")
        kubectl.run("set", "resources", "deployment/web", "--limits=memory=64Mi")
        path = ".spec.template.spec.containers[0].resources.limits.memory"
        expect(kubectl.value(path, "deployment", "web"), "64Mi")
        expect_in(kubectl.run("set", "env", "deployment/web", "--list"), "COLOUR=red")

    @check("expose")
    def _(kubectl):
        serves = "exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(" \
            "LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; $| = 1; print \"started\\n\"; " \
            "while (my $c = $s->accept) { while (<$c>) { print $c uc; } }'"
        web = deployment("serves", kubectl.image, script=serves)
        web["spec"]["template"]["spec"] = pod_spec(
            kubectl.image, serves, ports=[{"containerPort": 8080}],
            readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        )
        kubectl.apply(web)
        expect_in(kubectl.run("expose", "deployment/serves", "--port=80", "--target-port=8080"), "exposed")
        kubectl.run("rollout", "status", "deployment/serves")
        address = kubectl.value(".items[0].status.podIP", "pods", "-l", "app=serves")
        until(
            lambda: kubectl.value(".subsets[*].addresses[*].ip", "endpoints", "serves") == address,
            f"the endpoint {address}",
        )
        expect_in(kubectl.run("describe", "service", "serves"), "8080/TCP", "app=serves")


def cascades(check):
    def start(kubectl, name):
        kubectl.apply(deployment(name, kubectl.image))
        kubectl.run("rollout", "status", f"deployment/{name}")
        return pods_of(kubectl, name)

    def replica_sets(kubectl, name):
        return kubectl.run("get", "replicasets", "-l", f"app={name}", "-o", "name").split()

    @check("delete --cascade=orphan")
    def _(kubectl):
        pods = start(kubectl, "orphans")
        kubectl.run("delete", "deployment", "orphans", "--cascade=orphan")
        [left] = replica_sets(kubectl, "orphans")
        expect(kubectl.value(".metadata.ownerReferences", left), "")
        kubectl.run("delete", left, "--cascade=orphan")
        expect(pods_of(kubectl, "orphans"), pods)
        expect(kubectl.value(".metadata.ownerReferences", pods[0]), "")
        kubectl.run("delete", *pods)

    @check("delete --cascade=foreground")
    def _(kubectl):
        start(kubectl, "front")
        kubectl.run("delete", "deployment", "front", "--cascade=foreground")
        expect((replica_sets(kubectl, "front"), pods_of(kubectl, "front")), ([], []))

    @check("delete --cascade=background")
    def _(kubectl):
        pods = start(kubectl, "back")
        kubectl.run("delete", "deployment", "back", "--cascade=background")
        gone(kubectl, pods)
        expect(pods_of(kubectl, "back"), [])
