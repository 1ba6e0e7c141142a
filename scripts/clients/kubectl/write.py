"""Creating, changing and deleting objects."""

import json

from lib.checks import expect, expect_in, until

from command import listed
from objects import config_map


def data(kubectl, name):
    return kubectl.object("cm", name).get("data", {})


def add(suite):
    creates(suite.check)
    applies(suite.check)
    serverside(suite.check)
    changes(suite.check)
    deletes(suite.check)


def creates(check):
    @check("create of each simple kind")
    def _(kubectl):
        for words in [
            ["configmap", "made", "--from-literal=a=b"],
            ["secret", "generic", "made", "--from-literal=a=b"],
            ["serviceaccount", "made"],
            ["service", "clusterip", "made", "--tcp=80:8080"],
            ["deployment", "made", "--image=none/none", "--replicas=0"],
        ]:
            expect_in(kubectl.run("create", *words), "/made created")
        expect(kubectl.value(".data.a", "secret", "made"), "Yg==")

    @check("create of what is there already")
    def _(kubectl):
        expect_in(kubectl.refused("create", "configmap", "made"), 'configmaps "made" already exists')

    @check("create --dry-run")
    def _(kubectl):
        for where in ["client", "server"]:
            said = kubectl.run("create", "cm", "dry", f"--dry-run={where}", "-o", "name")
            expect(said, "configmap/dry\n")
            expect(kubectl.run("get", "cm", "dry", "--ignore-not-found"), "")

    # Older ones look themselves, into the schemas.
    @check("create refuses fields that nobody knows", since=(1, 25))
    def _(kubectl):
        wrong = {**config_map("wrong"), "dates": {"a": "b"}}
        message = kubectl.refused("create", "-f", "-", given=json.dumps(wrong))
        expect_in(message, "dates")
        expect(kubectl.run("get", "cm", "wrong", "--ignore-not-found"), "")

    @check("create --validate=false takes them")
    def _(kubectl):
        wrong = {**config_map("lax"), "dates": {"a": "b"}}
        kubectl.run("create", "--validate=false", "-f", "-", given=json.dumps(wrong))
        expect("dates" in kubectl.object("cm", "lax"), False)

    @check("create of what is not valid")
    def _(kubectl):
        message = kubectl.refused("create", "configmap", "Not_Valid")
        expect_in(message, 'is invalid: metadata.name: Invalid value: "Not_Valid"')

    @check("create token", since=(1, 24))
    def _(kubectl):
        expect(kubectl.run("create", "token", "default").count("."), 2)


def applies(check):
    @check("apply creates, leaves and changes")
    def _(kubectl):
        first = config_map("a", one="1", two="2")
        expect(kubectl.apply(first), "configmap/a created\n")
        expect(kubectl.apply(first), "configmap/a unchanged\n")
        expect(kubectl.apply(config_map("a", two="3")), "configmap/a configured\n")
        expect(data(kubectl, "a"), {"two": "3"})

    @check("apply leaves what others set")
    def _(kubectl):
        kubectl.run("patch", "cm", "a", "-p", '{"data":{"others":"x"}}')
        kubectl.apply(config_map("a", two="4"))
        expect(data(kubectl, "a"), {"two": "4", "others": "x"})

    @check("apply merges lists by their keys")
    def _(kubectl):
        ports = [{"name": name, "port": port} for name, port in [("a", 1), ("b", 2)]]
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ports"}}
        kubectl.apply({**service, "spec": {"ports": ports}})
        kubectl.apply({**service, "spec": {"ports": ports[1:] + [{"name": "c", "port": 3}]}})
        expect(kubectl.value(".spec.ports[*].port", "service", "ports"), "2 3")

    @check("apply --dry-run=server")
    def _(kubectl):
        changed = config_map("a", two="5")
        expect_in(kubectl.apply(changed, words=["--dry-run=server"]), "configured (server dry run)")
        expect(data(kubectl, "a")["two"], "4")

    @check("apply set-last-applied and view-last-applied")
    def _(kubectl):
        def last(name):
            seen = kubectl.run("apply", "view-last-applied", "cm", name, "-o", "json")
            return json.loads(seen)["data"]

        expect(last("a"), {"two": "4"})
        kubectl.run("create", "configmap", "unapplied", "--from-literal=one=1")
        given = listed([config_map("unapplied", one="1")])
        kubectl.run("apply", "set-last-applied", "--create-annotation", "-f", "-", given=given)
        expect(last("unapplied"), {"one": "1"})

    @check("diff")
    def _(kubectl):
        expect(kubectl.run("diff", "-f", "-", given=listed([config_map("a", two="4")])), "")
        code, output, complaints = kubectl.ask(
            "diff", "-f", "-", given=listed([config_map("a", two="6"), config_map("new")])
        )
        expect((code, complaints), (1, ""))
        expect_in(output, "-  two: \"4\"", "+  two: \"6\"", "+  name: new")

    @check("apply --prune")
    def _(kubectl):
        one, two = (config_map(name, {"of": "prune"}, a="b") for name in ("p1", "p2"))
        kubectl.apply(one, two)
        # All that it would look for without this list, no client of the last years and not every cluster knows.
        allow = "--prune-allowlist" if kubectl.version >= (1, 26) else "--prune-whitelist"
        said = kubectl.apply(one, words=["--prune", "-l", "of=prune", f"{allow}=core/v1/ConfigMap"])
        expect_in(said, "configmap/p1 unchanged", "configmap/p2 pruned")
        expect(kubectl.run("get", "cm", "-l", "of=prune", "-o", "name"), "configmap/p1\n")


def serverside(check):
    def by(manager, *more):
        return ["--server-side", f"--field-manager={manager}", *more]

    @check("apply --server-side")
    def _(kubectl):
        said = kubectl.apply(config_map("s", one="1", two="2"), words=by("first"))
        expect(said, "configmap/s serverside-applied\n")
        kubectl.apply(config_map("s", one="1"), words=by("first"))
        expect(data(kubectl, "s"), {"one": "1"})

    @check("apply --server-side names who else has a field")
    def _(kubectl):
        message = kubectl.refused(
            "apply", *by("second"), "-f", "-", given=listed([config_map("s", one="2")])
        )
        expect_in(message, 'conflict with "first"', ".data.one")

    @check("apply --server-side --force-conflicts")
    def _(kubectl):
        kubectl.apply(config_map("s", one="2"), words=by("second", "--force-conflicts"))
        expect(data(kubectl, "s"), {"one": "2"})
        # The first has lost it, so that leaving it out takes nothing away.
        kubectl.apply(config_map("s"), words=by("first"))
        expect(data(kubectl, "s"), {"one": "2"})

    @check("get --show-managed-fields", since=(1, 21))
    def _(kubectl):
        found = json.loads(kubectl.run("get", "cm", "s", "--show-managed-fields", "-o", "json"))
        managers = {entry["manager"] for entry in found["metadata"]["managedFields"]}
        expect("second" in managers, True)

    @check("apply --server-side of what was applied by the client")
    def _(kubectl):
        kubectl.apply(config_map("moved", one="1", two="2"))
        kubectl.apply(config_map("moved", one="1"), words=["--server-side"])
        expect(data(kubectl, "moved").get("one"), "1")

    @check("diff --server-side")
    def _(kubectl):
        words = ["diff", "--server-side", "--field-manager=second", "-f", "-"]
        code, output, _ = kubectl.ask(*words, given=listed([config_map("s", one="3")]))
        expect(code, 1)
        expect_in(output, "+  one: \"3\"")


def changes(check):
    @check("edit")
    def _(kubectl):
        editor = kubectl.home / "editor"
        editor.write_text("#!/bin/sh\nsed -i 's/two: .*/two: edited/' \"$1\"\n")
        editor.chmod(0o755)
        words = ["edit", "cm", "a"]
        environment = {"KUBE_EDITOR": str(editor), "EDITOR": str(editor)}
        expect(kubectl.run(*words, environment=environment), "configmap/a edited\n")
        expect(data(kubectl, "a")["two"], "edited")
        _, said, complaints = kubectl.ask(*words, environment=environment)
        expect_in(said + complaints, "no changes made")

    @check("label")
    def _(kubectl):
        expect(kubectl.run("label", "cm", "a", "x=1"), "configmap/a labeled\n")
        expect_in(kubectl.refused("label", "cm", "a", "x=2"), "already has a value (1)")
        kubectl.run("label", "--overwrite", "cm", "a", "x=2")
        expect(kubectl.value(".metadata.labels.x", "cm", "a"), "2")
        kubectl.run("label", "cm", "a", "x-")
        expect(kubectl.value(".metadata.labels.x", "cm", "a"), "")

    @check("annotate")
    def _(kubectl):
        kubectl.run("annotate", "cm", "a", "note=why not")
        expect(kubectl.value(".metadata.annotations.note", "cm", "a"), "why not")
        kubectl.run("annotate", "cm", "a", "note-")
        expect(kubectl.value(".metadata.annotations.note", "cm", "a"), "")

    @check("patch of each kind")
    def _(kubectl):
        kubectl.run("patch", "service", "ports", "--type=strategic", "-p",
                    '{"spec":{"ports":[{"port":2,"targetPort":9}]}}')
        expect(kubectl.value(".spec.ports[*].targetPort", "service", "ports"), "9 3")
        kubectl.run("patch", "service", "ports", "--type=merge", "-p",
                    '{"spec":{"ports":[{"port":7,"name":"d"}]}}')
        expect(kubectl.value(".spec.ports[*].port", "service", "ports"), "7")
        kubectl.run("patch", "service", "ports", "--type=json", "-p",
                    '[{"op":"replace","path":"/spec/ports/0/port","value":8}]')
        expect(kubectl.value(".spec.ports[*].port", "service", "ports"), "8")

    @check("patch that does not fit")
    def _(kubectl):
        message = kubectl.refused("patch", "cm", "a", "--type=json", "-p",
                                  '[{"op":"test","path":"/data/two","value":"other"}]')
        expect_in(message, "The request is invalid")
        expect_in(kubectl.refused("patch", "cm", "a", "-p", '{"data":{"a":{}}}'), "The request is invalid")

    @check("patch --subresource", since=(1, 24))
    def _(kubectl):
        kubectl.run("patch", "deployment", "made", "--subresource=scale", "--type=merge", "-p",
                    '{"spec":{"replicas":0}}')
        expect_in(kubectl.run("get", "deployment", "made", "--subresource=status"), "made")

    @check("replace")
    def _(kubectl):
        kubectl.run("replace", "-f", "-", given=listed([config_map("a", only="this")]))
        expect(data(kubectl, "a"), {"only": "this"})
        stale = {**config_map("a"), "metadata": {"name": "a", "resourceVersion": "1"}}
        message = kubectl.refused("replace", "-f", "-", given=json.dumps(stale))
        expect_in(message, "(Conflict)", "the object has been modified")

    @check("replace --force")
    def _(kubectl):
        before = kubectl.value(".metadata.uid", "cm", "a")
        kubectl.run("replace", "--force", "-f", "-", given=listed([config_map("a", again="yes")]))
        expect(data(kubectl, "a"), {"again": "yes"})
        expect(kubectl.value(".metadata.uid", "cm", "a") != before, True)

    @check("label by a selector over several kinds")
    def _(kubectl):
        kubectl.run("label", "cm,sa", "-l", "of=prune", "seen=yes")
        expect(kubectl.run("get", "cm", "-l", "seen=yes", "-o", "name"), "configmap/p1\n")


def deletes(check):
    @check("delete --dry-run=server")
    def _(kubectl):
        expect_in(kubectl.run("delete", "cm", "a", "--dry-run=server"), "(server dry run)")
        expect(kubectl.run("get", "cm", "a", "-o", "name"), "configmap/a\n")

    @check("delete by name, label and file")
    def _(kubectl):
        expect_in(kubectl.run("delete", "cm", "a"), 'configmap "a" deleted')
        expect(kubectl.run("delete", "cm", "-l", "of=read").count("deleted"), 5)
        kubectl.run("delete", "-f", "-", given=listed([config_map("s"), config_map("moved")]))
        expect(kubectl.run("get", "cm", "s", "moved", "a", "--ignore-not-found", "-o", "name"), "")

    @check("delete of what is not there")
    def _(kubectl):
        expect_in(kubectl.refused("delete", "cm", "none"), '(NotFound): configmaps "none" not found')
        expect_in(kubectl.run("delete", "cm", "none", "--ignore-not-found"), "")

    @check("delete waits for finalizers")
    def _(kubectl):
        held = config_map("held")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        kubectl.create(held)
        with kubectl.start("delete", "cm", "held") as waiting:
            expect_in(waiting.next(), 'configmap "held" deleted')
            until(lambda: kubectl.value(".metadata.deletionTimestamp", "cm", "held"), "a deletion")
            kubectl.run("patch", "cm", "held", "--type=json", "-p",
                        '[{"op":"remove","path":"/metadata/finalizers"}]')
            expect((waiting.next(), waiting.process.wait()), (None, 0))
        expect(kubectl.run("get", "cm", "held", "--ignore-not-found"), "")

    # Older ones call it an error that the object is gone already.
    @check("wait --for=delete", since=(1, 28))
    def _(kubectl):
        kubectl.create(config_map("going"))
        kubectl.run("delete", "cm", "going", "--wait=false")
        kubectl.run("wait", "--for=delete", "cm/going", "--timeout=60s")
        expect(kubectl.run("get", "cm", "going", "--ignore-not-found"), "")

    @check("delete --all")
    def _(kubectl):
        kubectl.run("delete", "secrets", "--all")
        expect(kubectl.run("get", "secrets", "-o", "name"), "")

    @check("delete of a namespace takes all in it along")
    def _(kubectl):
        inner = kubectl.namespace + "-inner"
        kubectl.run("create", "namespace", inner)
        kubectl.run("create", "configmap", "c", "-n", inner)
        kubectl.run("delete", "namespace", inner)
        expect_in(kubectl.refused("get", "namespace", inner), "NotFound")
