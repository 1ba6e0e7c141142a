"""Pods: what they say, commands in them, and their ports."""

import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import termios
import time
import urllib.request

from lib.checks import PATIENCE, Failed, expect, expect_in, until

from objects import STAYS, pod


def add(suite):
    life(suite.check)
    logs(suite.check)
    commands(suite.check)
    copies(suite.check)
    ports(suite.check)
    ends(suite.check)


def ready(kubectl, name):
    kubectl.run("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={PATIENCE}s")


def finished(kubectl, name):
    """Waits for the end of a pod, whichever it is, and answers with its phase."""
    seen = []
    path = "jsonpath={.status.phase}{'\\n'}"
    with kubectl.watch("pods", name, "-o", path) as watch:
        try:
            while (phase := watch.next()) is not None:
                seen.append(phase)
                if phase in ("Succeeded", "Failed"):
                    return phase
        except Failed as why:
            now = kubectl.value(".status", "pod", name)
            raise Failed(f"expected the end of the pod {name}, got {seen}, {why}: {now}") from None
    raise Failed(f"expected the end of the pod {name}, got {seen} and the end of the watch")


def life(check):
    @check("run")
    def _(kubectl):
        words = ["--image", kubectl.image, "--restart=Never", "--labels=app=main"]
        said = kubectl.run("run", "main", *words, "--command", "--", "/bin/sh", "-c", STAYS)
        expect(said, "pod/main created\n")
        ready(kubectl, "main")

    @check("get -o wide of a pod")
    def _(kubectl):
        lines = kubectl.run("get", "pod", "main", "-o", "wide").splitlines()
        heading = "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
        expect(lines[0].split(), heading.split())
        expect(lines[1].split()[:4], ["main", "1/1", "Running", "0"])
        expect(bool(re.search(r" 10\.\d+\.\d+\.\d+ ", lines[1])), True)

    @check("describe of a pod")
    def _(kubectl):
        # Events are written beside what they tell of.
        until(lambda: "Started" in kubectl.run("describe", "pod", "main"), "an event")
        text = kubectl.run("describe", "pod", "main")
        expect_in(" ".join(text.split()), "Status: Running", "Scheduled", "Ready True", kubectl.image)

    @check("get events")
    def _(kubectl):
        words = ["--field-selector", "involvedObject.name=main", "--no-headers"]
        expect_in(kubectl.run("get", "events", *words), "pod/main", "Started", "Normal")

    @check("events --for", since=(1, 26))
    def _(kubectl):
        expect_in(kubectl.run("events", "--for", "pod/main"), "Started")

    @check("get --watch of a pod that ends")
    def _(kubectl):
        kubectl.create(pod("short", kubectl.image, "exit 3"))
        expect(finished(kubectl, "short"), "Failed")
        path = ".status.containerStatuses[0].state.terminated.exitCode"
        expect(kubectl.value(path, "pod", "short"), "3")


def logs(check):
    talks = "for n in 1 2 3 4 5; do echo line $n; done; echo wrong >&2"

    @check("logs")
    def _(kubectl):
        kubectl.create(pod("talks", kubectl.image, talks))
        expect(finished(kubectl, "talks"), "Succeeded")
        said = sorted(kubectl.run("logs", "talks").splitlines())
        expect(said, [f"line {n}" for n in range(1, 6)] + ["wrong"])

    @check("logs --tail and --limit-bytes")
    def _(kubectl):
        expect(len(kubectl.run("logs", "talks", "--tail=2").splitlines()), 2)
        expect(kubectl.run("logs", "talks", "--tail=0"), "")
        expect(len(kubectl.run("logs", "talks", "--limit-bytes=4")), 4)

    @check("logs --timestamps, --since and --since-time")
    def _(kubectl):
        for line in kubectl.run("logs", "talks", "--timestamps").splitlines():
            expect(bool(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S* (line \d|wrong)$", line)), True)
        expect(len(kubectl.run("logs", "talks", "--since=1h").splitlines()), 6)
        expect(kubectl.run("logs", "talks", "--since-time=2100-01-01T00:00:00Z"), "")

    @check("logs -f ends with its container")
    def _(kubectl):
        script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last"
        kubectl.create(pod("follows", kubectl.image, script))
        ready(kubectl, "follows")
        with kubectl.start("logs", "-f", "follows") as seen:
            expect(seen.next(), "first")
            kubectl.run("exec", "follows", "--", "touch", "/tmp/go")
            expect((seen.next(), seen.next()), ("last", None))
            expect(seen.process.wait(), 0)

    @check("logs --previous")
    def _(kubectl):
        script = "if [ -e /keep/again ]; then echo second; exec sleep 1000; fi; touch /keep/again; echo first"
        again = pod("again", kubectl.image, script, restart="Always",
                    volumeMounts=[{"name": "keep", "mountPath": "/keep"}])
        again["spec"]["volumes"] = [{"name": "keep", "emptyDir": {}}]
        kubectl.create(again)
        path = "{.status.containerStatuses[0].restartCount}{.status.containerStatuses[0].ready}{'\\n'}"
        with kubectl.watch("pods", "again", "-o", f"jsonpath={path}") as seen:
            seen.until("1true")
        expect(kubectl.run("logs", "again", "--previous"), "first\n")
        expect_in(kubectl.refused("logs", "main", "--previous"), "previous terminated container", "not found")

    @check("logs by label, of all containers, with prefixes")
    def _(kubectl):
        two = pod("two", kubectl.image, "echo one")
        [one] = two["spec"]["containers"]
        two["spec"]["containers"].append({**one, "name": "other", "command": ["echo", "other"]})
        kubectl.create(two)
        finished(kubectl, "two")
        words = ["logs", "-l", "app=two", "--all-containers", "--prefix"]
        said = sorted(kubectl.run(*words).splitlines())
        expect(said, ["[pod/two/main] one", "[pod/two/other] other"])
        expect(kubectl.run("logs", "two", "-c", "other"), "other\n")
        expect_in(kubectl.refused("logs", "two", "-c", "none"), "container none is not valid for pod two")

    @check("logs of a Deployment")
    def _(kubectl):
        expect_in(kubectl.run("logs", "deployment/serves"), "started")


def commands(check):
    def shell(kubectl, script, *words, **more):
        return kubectl.ask("exec", *words, "main", "--", "sh", "-c", script, **more)

    @check("exec keeps output and errors apart")
    def _(kubectl):
        expect(shell(kubectl, "echo out; echo wrong >&2"), (0, "out\n", "wrong\n"))

    @check("exec -i")
    def _(kubectl):
        text = "".join(f"line {n} of what goes in\n" for n in range(20000))
        expect(shell(kubectl, "cat", "-i", given=text), (0, text, ""))

    @check("exec passes the exit code on")
    def _(kubectl):
        code, _, complaints = shell(kubectl, "exit 7")
        expect(code, 7)
        expect_in(complaints, "command terminated with exit code 7")

    @check("exec of what is not there")
    def _(kubectl):
        code, _, complaints = kubectl.ask("exec", "main", "--", "/no/such/program")
        expect(code != 0, True)
        expect_in(complaints, "/no/such/program")
        expect_in(kubectl.refused("exec", "none", "--", "true"), 'pods "none" not found')
        expect_in(kubectl.refused("exec", "main", "-c", "none", "--", "true"), "container none")
        expect_in(kubectl.refused("exec", "talks", "--", "true"), "completed pod")

    @check("exec -it has a terminal")
    def _(kubectl):
        # Old clients tell the size when the command runs already.
        script = 'while [ "$(stty size)" = "0 0" ]; do sleep 0.1; done; stty size; read x; echo got $x'
        main, other = pty.openpty()
        words = kubectl.words(["exec", "-it", "main", "--", "sh", "-c", script])
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        process = subprocess.Popen(words, stdin=other, stdout=other, stderr=other,
                                   env=kubectl.environment, start_new_session=True)
        os.close(other)
        try:
            seen = read_terminal(main, "33 77")
            os.write(main, b"word\n")
            seen += read_terminal(main, "got word")
            expect(process.wait(PATIENCE), 0)
        finally:
            process.kill()
            process.wait()
            os.close(main)


def read_terminal(terminal, wanted):
    said, end = "", time.monotonic() + PATIENCE
    while wanted not in said:
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            raise Failed(f"expected {wanted!r} on the terminal, got {said!r}")
        try:
            said += os.read(terminal, 4096).decode()
        except OSError:
            raise Failed(f"expected {wanted!r} on the terminal, got {said!r} and the end") from None
    return said


def copies(check):
    @check("cp of files and directories, both ways")
    def _(kubectl):
        there, back = kubectl.home / "there", kubectl.home / "back"
        (there / "inner").mkdir(parents=True)
        content = os.urandom(3_000_000)
        (there / "inner" / "file").write_bytes(content)
        kubectl.run("cp", str(there), "main:/tmp/copy")
        kubectl.run("cp", "main:/tmp/copy", str(back))
        expect((back / "inner" / "file").read_bytes() == content, True)
        kubectl.run("cp", "main:/tmp/copy/inner/file", str(kubectl.home / "file"))
        expect((kubectl.home / "file").read_bytes() == content, True)


def forwarded(seen):
    return int(re.search(r"127\.0\.0\.1:(\d+) ->", seen.until("127.0.0.1:"))[1])


def says(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(text.encode())
        return connection.makefile().readline()


def ports(check):
    @check("port-forward to a pod, several times")
    def _(kubectl):
        name = kubectl.run("get", "pods", "-l", "app=serves", "-o", "name").strip()
        with kubectl.start("port-forward", name, ":8080") as seen:
            port = forwarded(seen)
            expect([says(port, f"hello {n}\n") for n in range(3)], [f"HELLO {n}\n" for n in range(3)])

    @check("port-forward to a Service and a Deployment")
    def _(kubectl):
        for name, port in [("service/serves", ":80"), ("deployment/serves", ":8080")]:
            with kubectl.start("port-forward", name, port) as seen:
                expect(says(forwarded(seen), "hello\n"), "HELLO\n")

    @check("port-forward to a port where nobody listens")
    def _(kubectl):
        with kubectl.start("port-forward", "main", ":9") as seen:
            expect(says(forwarded(seen), "hello\n"), "")
            seen.until("refused")

    @check("proxy")
    def _(kubectl):
        with kubectl.start("proxy", "--port=0") as seen:
            port = seen.until("Starting to serve").rpartition(":")[2]
            url = f"http://127.0.0.1:{port}/api/v1/namespaces/{kubectl.namespace}/pods/main"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                expect_in(answer.read().decode(), '"kind":"Pod"')


def ends(check):
    @check("delete waits for the end of a pod")
    def _(kubectl):
        kubectl.run("delete", "pod", "again", "follows", "talks", "two", "short")
        expect(kubectl.run("get", "pods", "-l", "app in (again,talks)", "-o", "name"), "")

    @check("delete --wait=false and --grace-period")
    def _(kubectl):
        slow = pod("slow", kubectl.image, "trap '' TERM; echo up; while :; do sleep 1; done")
        slow["spec"]["terminationGracePeriodSeconds"] = 600
        kubectl.create(slow)
        ready(kubectl, "slow")
        kubectl.run("delete", "pod", "slow", "--wait=false")
        expect(kubectl.value(".metadata.deletionGracePeriodSeconds", "pod", "slow"), "600")
        kubectl.run("delete", "pod", "slow", "--grace-period=1")
        expect(kubectl.run("get", "pod", "slow", "--ignore-not-found"), "")

    @check("delete --grace-period=0 --force")
    def _(kubectl):
        _, said, complaints = kubectl.ask("delete", "pod", "main", "--grace-period=0", "--force")
        expect_in(said + complaints, "force deleted", "mmediate deletion does not wait")
        expect(kubectl.run("get", "pod", "main", "--ignore-not-found"), "")

    @check("delete --now")
    def _(kubectl):
        kubectl.create(pod("now", kubectl.image))
        ready(kubectl, "now")
        kubectl.run("delete", "pod", "now", "--now")
        expect(kubectl.run("get", "pod", "now", "--ignore-not-found"), "")
