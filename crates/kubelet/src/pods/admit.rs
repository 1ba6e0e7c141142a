//! What this node cannot run, said at once and plainly.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};

use super::{decide::is_sidecar, one_id, state::Rejection};
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
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    if let Some((container, what)) =
        spec.containers.iter().chain(sidecars).find_map(unsupported_probe)
    {
        let message = format!(
            "a probe of container {container} uses {what}, which this node does not have yet; use exec, tcpSocket or httpGet with the scheme HTTP"
        );
        return Some(Rejection { reason: "ProbeUnsupported".to_owned(), message, at: now });
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

fn unsupported_probe(container: &Container) -> Option<(&str, &'static str)> {
    let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
    let what = probes.into_iter().flatten().find_map(|probe| {
        let scheme = probe.http_get.as_ref().and_then(|get| get.scheme.as_deref());
        match (&probe.grpc, scheme) {
            (Some(_), _) => Some("grpc"),
            (None, Some("HTTPS")) => Some("httpGet with the scheme HTTPS"),
            _ => None,
        }
    });
    what.map(|what| (container.name.as_str(), what))
}
