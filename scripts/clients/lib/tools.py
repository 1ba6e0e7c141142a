"""What each client needs: had once, of pinned versions, and kept in the cache."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
# Those that Flink 1.20 and 2.x bring, and the current one.
FABRIC8 = ("6.9.2", "7.3.1", "8.0.0")
OKHTTP = ["com.squareup.okhttp3:okhttp:3.14.9", "com.squareup.okhttp3:logging-interceptor:3.14.9"]


@dataclass
class Command:
    """The checks of one client."""

    words: list
    environment: dict = field(default_factory=dict)


def once(target, make):
    """Makes a directory of the cache, whole or not at all."""
    if target.exists():
        return target
    print(f"Making {target}", flush=True)
    part = Path(tempfile.mkdtemp(prefix="part.", dir=target.parent))
    try:
        make(part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def key(*files):
    """Names the state of some files."""
    text = hashlib.sha256()
    for file in files:
        text.update(file.read_bytes())
    return text.hexdigest()[:16]


def do(*words, **more):
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, **more)


def kubectl(program):
    return Command([sys.executable, str(HERE / "kubectl")], {"KUBECTL": str(program)})


def installed_kubectl(_cache, _flumen):
    """That of the machine, on Debian of its package kubernetes-client."""
    program = shutil.which("kubectl")
    if not program:
        raise SystemExit("There is no kubectl. Install one with `apt-get install kubernetes-client`.")
    return kubectl(program)


def go(cache, name):
    """A program of the Go module, which Go itself builds again only where something changed."""
    if not shutil.which("go"):
        raise SystemExit("There is no go. Version 1.25 or later is needed, see https://go.dev/dl.")
    version = "k8s.io/component-base/version"
    flags = f"-s -w -X {version}.gitMajor=1 -X {version}.gitMinor=34 -X {version}.gitVersion=v1.34.4"
    do("go", "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", cache / name, f"./{name}",
       cwd=HERE / "go", env={**os.environ, "CGO_ENABLED": "0"})
    return cache / name


def current_kubectl(cache, _flumen):
    return kubectl(go(cache, "kubectl"))


def client_go(cache, _flumen):
    return Command([str(go(cache, "client"))])


def python(cache, _flumen):
    requirements = HERE / "python" / "requirements.txt"

    def make(part):
        do(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-conflicts", "--require-hashes",
           "--root-user-action", "ignore", "--target", part, "--requirement", requirements)

    packages = once(cache / f"python-{key(requirements)}", make)
    return Command([sys.executable, str(HERE / "python")], {"PYTHONPATH": str(packages)})


def fabric8(version):
    def prepare(cache, flumen):
        sums = HERE / "fabric8" / f"{version}.sha256"
        sources = sorted((HERE / "fabric8" / "src" / "clients").iterdir())
        jars = once(cache / f"fabric8-{version}-{key(sums)}", lambda part: fetch(flumen, version, sums, part))
        classes = once(
            cache / f"fabric8-{version}-{key(sums, *sources)}-classes",
            lambda part: do("javac", "-cp", f"{jars}/*", "-d", part, *sources),
        )
        return Command(["java", "-cp", f"{classes}:{jars}/*", "clients.Checks"])

    return prepare


def fetch(flumen, version, sums, part):
    """Flink goes by okhttp, the current one by what it comes with."""
    wanted = [f"io.fabric8:kubernetes-client:{version}"]
    if version != FABRIC8[-1]:
        wanted = OKHTTP + wanted + [f"io.fabric8:kubernetes-httpclient-okhttp:{version}"]
        wanted += ["--exclude", "io.fabric8:kubernetes-httpclient-vertx"]
    do(flumen, "maven", "fetch", *wanted, "--to", part, stdout=subprocess.DEVNULL)
    do("sha256sum", "--quiet", "--strict", "--check", sums, cwd=part)


CLIENTS = {
    "kubectl": installed_kubectl,
    "kubectl-1.34": current_kubectl,
    "client-go": client_go,
    **{f"fabric8-{version}": fabric8(version) for version in FABRIC8},
    "python": python,
}
