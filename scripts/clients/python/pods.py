"""Logs, commands and ports of pods."""

import json

from kubernetes.client import ApiException
from kubernetes.stream import portforward, stream
from kubernetes.watch import Watch

from lib.checks import PATIENCE, Failed, expect, expect_in, until

SERVES = """
import socketserver
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
with Server(("127.0.0.1", 7000), Answer) as server:
    print("up", flush=True)
    server.serve_forever()
"""


def create(cluster, name, *command):
    container = {"name": "main", "image": cluster.image, "command": list(command)}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    body = {"metadata": {"name": name}, "spec": spec}
    cluster.core.create_namespaced_pod(cluster.namespace, body)


def phase(cluster, name, *wanted):
    until(
        lambda: cluster.core.read_namespaced_pod_status(name, cluster.namespace).status.phase in wanted,
        f"the pod {name} in {wanted}",
    )


def add(suite):
    logs(suite.check)
    commands(suite.check)
    ports(suite.check)


def logs(check):
    @check("logs, and their last lines")
    def _(cluster):
        create(cluster, "talks", "sh", "-c", "echo one; echo two; echo three")
        phase(cluster, "talks", "Succeeded")
        read = cluster.core.read_namespaced_pod_log
        expect(read("talks", cluster.namespace), "one\ntwo\nthree\n")
        expect(read("talks", cluster.namespace, tail_lines=1), "three\n")

    @check("logs are followed to the end of their container")
    def _(cluster):
        script = "echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last"
        create(cluster, "follows", "sh", "-c", script)
        phase(cluster, "follows", "Running")
        seen = []
        for line in Watch().stream(
            cluster.core.read_namespaced_pod_log, "follows", cluster.namespace, follow=True
        ):
            seen.append(line)
            if line == "first":
                execute(cluster, "follows", ["touch", "/tmp/go"])
        expect(seen, ["first", "last"])

    @check("logs of a container that is not there")
    def _(cluster):
        try:
            cluster.core.read_namespaced_pod_log("talks", cluster.namespace, container="none")
        except ApiException as error:
            expect(error.status, 400)
            expect_in(json.loads(error.body)["message"], "container none is not valid for pod talks")
        else:
            raise Failed("expected 400, got a log")


def execute(cluster, pod, command, **more):
    options = {"stderr": True, "stdin": False, "stdout": True, "tty": False, **more}
    return stream(cluster.core.connect_get_namespaced_pod_exec, pod, cluster.namespace,
                  command=command, **options)


def commands(check):
    @check("exec answers with what the command says")
    def _(cluster):
        create(cluster, "serves", "python3", "-c", SERVES)
        phase(cluster, "serves", "Running")
        said = execute(cluster, "serves", ["sh", "-c", "echo out"])
        expect(said, "out\n")

    @check("exec as a conversation, with an exit code")
    def _(cluster):
        script = "while read line; do echo got $line; [ $line != end ] || exit 5; done"
        talk = execute(cluster, "serves", ["sh", "-c", script], stdin=True, _preload_content=False)
        talk.write_stdin("word\n")
        expect(talk.readline_stdout(timeout=PATIENCE), "got word")
        talk.write_stdin("end\n")
        talk.run_forever(timeout=PATIENCE)
        expect((talk.read_stdout(), talk.returncode), ("got end\n", 5))

    @check("exec keeps output and errors apart")
    def _(cluster):
        talk = execute(cluster, "serves", ["sh", "-c", "echo out; echo wrong >&2"], _preload_content=False)
        talk.run_forever(timeout=PATIENCE)
        expect((talk.read_stdout(), talk.read_stderr(), talk.returncode), ("out\n", "wrong\n", 0))

    @check("exec of binary data")
    def _(cluster):
        talk = execute(cluster, "serves", ["head", "-c", "300000", "/dev/urandom"],
                       binary=True, _preload_content=False)
        talk.run_forever(timeout=PATIENCE)
        expect(len(talk.read_stdout()), 300000)

    @check("exec in a terminal")
    def _(cluster):
        said = execute(cluster, "serves", ["sh", "-c", "test -t 1 && echo terminal"], tty=True)
        expect(said, "terminal\r\n")

    @check("exec of what is not there")
    def _(cluster):
        try:
            execute(cluster, "none", ["true"])
        except ApiException as error:
            expect(error.status, 0)
            expect_in(error.reason, "404")
        else:
            raise Failed("expected a refusal, got an answer")


def ports(check):
    @check("portforward")
    def _(cluster):
        until(lambda: "up" in cluster.core.read_namespaced_pod_log("serves", cluster.namespace), "a server")
        forward = portforward(cluster.core.connect_get_namespaced_pod_portforward,
                              "serves", cluster.namespace, ports="7000,7001")
        connection = forward.socket(7000)
        connection.settimeout(PATIENCE)
        connection.sendall(b"hello\n")
        expect(connection.recv(100), b"HELLO\n")
        until(lambda: forward.error(7001), "an error of the other port")
        expect_in(forward.error(7001), "7001")
        connection.close()

    @check("a pod that is deleted goes")
    def _(cluster):
        known = cluster.core.list_namespaced_pod(cluster.namespace).metadata.resource_version
        cluster.core.delete_namespaced_pod("serves", cluster.namespace)
        for event in Watch().stream(cluster.core.list_namespaced_pod, cluster.namespace, resource_version=known,
                                    field_selector="metadata.name=serves", timeout_seconds=PATIENCE):
            if event["type"] == "DELETED":
                return
        raise Failed(f"expected the pod to go, got the end of the watch")
