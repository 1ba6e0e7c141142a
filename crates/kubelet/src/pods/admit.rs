//! What this node cannot run, said at once and plainly.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::{one_id, state::Rejection};
use crate::protocol::IdMap;

/// Why a pod can never run here.
pub(super) fn admit(pod: &Pod, ids: IdMap, now: Timestamp) -> Option<Rejection> {
    let spec = pod.spec.as_ref()?;
    let namespaces = [
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ];
    if let Some((name, _)) = namespaces.iter().find(|(_, asked)| *asked == Some(true)) {
        let message = format!(
            "pods of this node have namespaces of their own, so {name} is not possible; remove {name} from the pod"
        );
        return Some(Rejection { reason: "HostNamespaceUnsupported".to_owned(), message, at: now });
    }
    if ids.is_one()
        && let Some(message) = one_id::refusal(pod)
    {
        return Some(Rejection { reason: "UsersUnsupported".to_owned(), message, at: now });
    }
    let privileged =
        spec.containers.iter().chain(spec.init_containers.iter().flatten()).find(|container| {
            container.security_context.as_ref().and_then(|context| context.privileged) == Some(true)
        });
    privileged.map(|container| Rejection {
        reason: "PrivilegedUnsupported".to_owned(),
        at: now,
        message: format!(
            "containers of this node have no privileges on the host, so container {} cannot be privileged; remove securityContext.privileged",
            container.name
        ),
    })
}
