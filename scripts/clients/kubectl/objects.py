"""The objects that the checks use."""

# Ends at once when it is told to.
STAYS = "trap 'exit 0' TERM; echo started; while :; do sleep 1000 & wait $!; done"


def config_map(name, labels=None, **data):
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod_spec(image, script, **more):
    container = {"name": "main", "image": image, "command": ["/bin/sh", "-c", script], **more}
    return {"terminationGracePeriodSeconds": 1, "containers": [container]}


def pod(name, image, script=STAYS, restart="Never", **more):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {**pod_spec(image, script, **more), "restartPolicy": restart},
    }


def deployment(name, image, replicas=1, script=STAYS, **more):
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(image, script, **more)},
        },
    }
