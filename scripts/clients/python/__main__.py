"""Holds the cluster of KUBECONFIG to what the Python client (`kubernetes` of PyPI) expects of one.

IMAGE is an image with a shell and python3.
"""

import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent))

from kubernetes import client, config  # noqa: E402

from lib.checks import Suite, fresh  # noqa: E402

import objects  # noqa: E402
import pods  # noqa: E402
import watches  # noqa: E402


class Cluster:
    """The APIs that the checks use, and a namespace for them."""

    def __init__(self):
        config.load_kube_config()
        self.core = client.CoreV1Api()
        self.apps = client.AppsV1Api()
        self.image = os.environ["IMAGE"]
        self.namespace = fresh("python")
        self.core.create_namespace({"metadata": {"name": self.namespace}})

    def config_map(self, name, labels=None, **data):
        body = {"metadata": {"name": name, "labels": labels or {}}, "data": data}
        return self.core.create_namespaced_config_map(self.namespace, body)


def main():
    suite = Suite()
    for part in (objects, watches, pods):
        part.add(suite)
    cluster = Cluster()
    try:
        return suite.run(cluster)
    finally:
        cluster.core.delete_namespace(cluster.namespace)


sys.exit(main())
