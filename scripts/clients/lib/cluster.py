"""A local cluster for as long as the checks run, and an image in its registry."""

import hashlib
import io
import json
import platform
import signal
import subprocess
import tarfile
import urllib.request

PROGRAMS = "/usr,/bin,/sbin,/lib,/lib64,/etc/alternatives"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Cluster:
    """`flumen local` in a directory of its own; `control_plane` is one of Kubernetes, or None."""

    def __init__(self, flumen, directory, control_plane):
        words = [flumen, "local", "--output", "json", "--data-directory", str(directory / "data")]
        words += ["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"]
        if control_plane:
            words += ["--control-plane", control_plane]
        self.log = directory / "local.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        # One has no OpenAPI schemas; the other still knows all that ever happened, as it is young.
        self.lacks = "forgetting" if control_plane else "schemas"
        try:
            ready = self.wait()
            self.kubeconfig, self.image = ready["kubeconfig"], push(ready["registry"])
        except BaseException:
            self.__exit__()
            raise

    def wait(self):
        """What it says when it takes requests, which may be several lines."""
        said = ""
        for line in self.process.stdout:
            said += line
            try:
                return json.loads(said)
            except json.JSONDecodeError:
                continue
        raise SystemExit(f"could not start the local cluster:\n{self.log.read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def push(registry):
    """Pushes an image whose programs are the host's; answers with its name."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for path, mode in [("tmp", 0o1777), ("etc", 0o755), ("work", 0o755)]:
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
    layer = layer.getvalue()
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
        "os": "linux",
        "config": {
            "Cmd": ["/bin/sh"],
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "WorkingDir": "/work",
            "Labels": {"dev.flumen.local.host-directories": PROGRAMS},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }).encode()
    for content in (layer, config):
        where = f"http://{registry}/v2/shell/blobs/uploads/?digest={digest(content)}"
        send("POST", where, content, "application/octet-stream")
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    send("PUT", f"http://{registry}/v2/shell/manifests/1", json.dumps(manifest).encode(), MANIFEST)
    return f"{registry}/shell:1"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(kind, content):
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def send(method, where, content, kind):
    request = urllib.request.Request(where, content, {"content-type": kind}, method=method)
    # Whatever proxy is set, this is the machine itself.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        answer.read()
