//! Pods: their service account with its token, and how long they bear an ailing node.

use serde_json::{Value, json};

use crate::{api::Api, failure::Failure, resources::Resource};

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An hour, and a little more so that clients that count in hours renew in time.
const TOKEN_SECONDS: i64 = 3607;
const TOLERATION_SECONDS: i64 = 300;

pub(super) fn admit(
    api: &Api,
    resource: &Resource,
    namespace: &str,
    pod: &mut Value,
) -> Result<(), Failure> {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(spec) = pod.get_mut("spec").filter(|spec| spec.is_object()) else {
        return Ok(());
    };
    let account =
        spec.get("serviceAccountName").and_then(Value::as_str).filter(|name| !name.is_empty());
    let account = account.unwrap_or("default").to_owned();
    let accounts = api.registry.core("serviceaccounts");
    let Some(stored) = api.store.get(accounts.id, &accounts.key(namespace, &account)) else {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
        );
        return Err(Failure::forbidden(resource, &name, &why));
    };
    spec["serviceAccountName"] = account.as_str().into();
    spec["serviceAccount"] = account.into();
    let stored = stored.value();
    if let (None, Some(secrets)) = (spec.get("imagePullSecrets"), stored.get("imagePullSecrets")) {
        spec["imagePullSecrets"] = secrets.clone();
    }
    let wanted =
        [spec.get("automountServiceAccountToken"), stored.get("automountServiceAccountToken")];
    if wanted.into_iter().flatten().next() != Some(&Value::Bool(false)) {
        mount_token(spec);
    }
    add_tolerations(spec);
    set_priority(resource, &name, spec)
}

/// There are no classes of priority here but those that every cluster has.
fn set_priority(resource: &Resource, name: &str, spec: &mut Value) -> Result<(), Failure> {
    let class = spec.get("priorityClassName").and_then(Value::as_str).unwrap_or_default();
    let priority = match class {
        "" => 0,
        "system-cluster-critical" => 2_000_000_000,
        "system-node-critical" => 2_000_001_000,
        other => {
            let why = format!("no PriorityClass with name {other} was found");
            return Err(Failure::forbidden(resource, name, &why));
        }
    };
    spec["priority"] = priority.into();
    if spec.get("preemptionPolicy").is_none() {
        spec["preemptionPolicy"] = "PreemptLowerPriority".into();
    }
    Ok(())
}

fn mount_token(spec: &mut Value) {
    let mounted = |container: &Value| {
        let mounts = container.get("volumeMounts").and_then(Value::as_array).into_iter().flatten();
        mounts.filter_map(|mount| mount.get("mountPath")).any(|path| path == TOKEN_PATH)
    };
    let suffix = uuid::Uuid::new_v4().simple().to_string();
    let volume = format!("kube-api-access-{}", &suffix[..5]);
    let mut used = false;
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if mounted(container) {
                continue;
            }
            used = true;
            let mount = json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH});
            match container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
                Some(mounts) => mounts.push(mount),
                None => container["volumeMounts"] = json!([mount]),
            }
        }
    }
    if !used {
        return;
    }
    let volume = json!({
        "name": volume,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                ]}}
            ],
            "defaultMode": 420
        }
    });
    match spec.get_mut("volumes").and_then(Value::as_array_mut) {
        Some(volumes) => volumes.push(volume),
        None => spec["volumes"] = json!([volume]),
    }
}

fn add_tolerations(spec: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let list = spec.get("tolerations").and_then(Value::as_array);
        let tolerated = list.into_iter().flatten().any(|toleration| {
            let own = toleration.get("key").and_then(Value::as_str).unwrap_or_default();
            let effect = toleration.get("effect").and_then(Value::as_str).unwrap_or_default();
            (own.is_empty() || own == key) && (effect.is_empty() || effect == "NoExecute")
        });
        if tolerated {
            continue;
        }
        let toleration = json!({
            "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS
        });
        match spec.get_mut("tolerations").and_then(Value::as_array_mut) {
            Some(list) => list.push(toleration),
            None => spec["tolerations"] = json!([toleration]),
        }
    }
}
