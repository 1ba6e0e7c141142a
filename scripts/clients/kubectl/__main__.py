"""Holds the cluster of KUBECONFIG to what `kubectl` expects of one.

KUBECTL names the program (default: that on the path), IMAGE an image with a shell, perl and tar.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent))

from lib.checks import Suite, fresh  # noqa: E402

import pods  # noqa: E402
import read  # noqa: E402
import workloads  # noqa: E402
import write  # noqa: E402
from command import Kubectl  # noqa: E402


def main():
    suite = Suite()
    for part in (read, write, workloads, pods):
        part.add(suite)
    with tempfile.TemporaryDirectory() as home:
        client = Kubectl(os.environ.get("KUBECTL", "kubectl"), os.environ["IMAGE"], Path(home))
        words = client.run("version", "--client", "-o", "json")
        version = tuple(int(part) for part in re.search(r'"v(\d+)\.(\d+)', words).groups())
        client.version = version
        namespace = fresh("kubectl")
        client.run("create", "namespace", namespace)
        client.namespace = namespace
        try:
            return suite.run(client, version)
        finally:
            client.run("delete", "namespace", namespace, "--wait=false")


sys.exit(main())
