//! Scheduling gates: what has to be taken away from a pod before it may have a node.

use serde_json::{Value, json};

use crate::failure::Cause;

fn gates(pod: &Value) -> impl Iterator<Item = &str> {
    let gates = pod.pointer("/spec/schedulingGates").and_then(Value::as_array);
    gates.into_iter().flatten().filter_map(|gate| gate.get("name")?.as_str())
}

/// Says in the status of a new pod that it waits for its gates.
pub(super) fn note(pod: &mut Value) {
    if gates(pod).next().is_some() {
        pod["status"]["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": null,
            "lastTransitionTime": null,
        }]);
    }
}

/// Gates may go, but none may come.
pub(super) fn added(new: &Value, old: &Value) -> Vec<Cause> {
    let is_new = |(_, name): &(usize, &str)| !gates(old).any(|known| known == *name);
    let cause = |(position, name)| {
        let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
        Cause::forbidden(format!("spec.schedulingGates[{position}].name"), &detail)
    };
    gates(new).enumerate().filter(is_new).map(cause).collect()
}
