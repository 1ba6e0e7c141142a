//! Whether a cluster answers, and with what Flumen asks it.

use flumen_model::AccessKind;
use jiff::SignedDuration;

use super::ClusterFinding;
use crate::{ClusterView, clock};

/// Credentials that end within this time are worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) fn reachable(cluster: &ClusterView) -> ClusterFinding {
    const NAME: &str = "reachable";
    let why = match &cluster.answer {
        Ok(version) => {
            return ClusterFinding::passed(NAME, format!("it answers as Kubernetes {version}"));
        }
        Err(why) => why,
    };
    let usual = || match (cluster.access.kind, &cluster.access.file) {
        (AccessKind::File, Some(file)) => {
            format!("see that the API server runs and that {file} on the server's machine names it")
        }
        (AccessKind::InCluster, _) => {
            "see that the server runs in a pod of the cluster, with a service account".to_owned()
        }
        _ => format!(
            "see that the API server runs, that the server's machine reaches it, and that its credentials are good; `flumen cluster edit {}` gives others",
            cluster.name
        ),
    };
    ClusterFinding::failed(NAME, why.reason.clone(), why.hint.clone().unwrap_or_else(usual))
}

/// When the credentials end, if they say so, and what is unsafe about the way.
pub(super) fn credentials(cluster: &ClusterView) -> Option<ClusterFinding> {
    const NAME: &str = "credentials";
    let (access, now) = (&cluster.access, clock::now());
    let kind = access.credentials?.as_str();
    let whose = access.account.as_ref().map(|who| format!(" of {who}")).unwrap_or_default();
    let edit = format!("give others with `flumen cluster edit {}`", cluster.name);
    Some(match access.expires {
        Some(end) if end <= now => {
            ClusterFinding::failed(NAME, format!("the {kind}{whose} ended at {end}"), edit)
        }
        _ if access.insecure => ClusterFinding::not_looked(
            NAME,
            "the certificate of the API server is not checked, so that whoever is on the way can read them",
            "put the certificate authority into the kubeconfig instead of insecure-skip-tls-verify",
        ),
        Some(end) if end.duration_since(now) < SOON => {
            ClusterFinding::not_looked(NAME, format!("the {kind}{whose} ends at {end}"), &edit)
        }
        Some(end) => ClusterFinding::passed(NAME, format!("{kind}{whose}, good until {end}")),
        None => ClusterFinding::passed(NAME, format!("{kind}{whose}")),
    })
}
