//! What the status of a pod has in any case.

use serde_json::{Value, json};

use super::{child, items, text, write_empty};

/// Writes the fields that the real server writes also where they are empty.
pub(super) fn complete(pod: &mut Value) {
    let Some(status) = pod.get_mut("status").filter(|status| status.is_object()) else { return };
    for condition in items(status, "conditions") {
        write_empty(condition, "lastProbeTime", Value::Null);
        write_empty(condition, "lastTransitionTime", Value::Null);
    }
    for list in ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] {
        for container in items(status, list) {
            for name in ["state", "lastState"] {
                if let Some(state) = child(container, name) {
                    complete_state(state);
                }
            }
        }
    }
    // Of two addresses that disagree the older field holds.
    let address = text(status, "/podIP").to_owned();
    let listed = text(status, "/podIPs/0/ip").to_owned();
    if address.is_empty() && !listed.is_empty() {
        status["podIP"] = listed.into();
    } else if address != listed {
        status["podIPs"] = json!([{"ip": address}]);
    }
}

fn complete_state(state: &mut Value) {
    if let Some(running) = state.get_mut("running") {
        write_empty(running, "startedAt", Value::Null);
    }
    if let Some(terminated) = state.get_mut("terminated") {
        write_empty(terminated, "startedAt", Value::Null);
        write_empty(terminated, "finishedAt", Value::Null);
    }
}
