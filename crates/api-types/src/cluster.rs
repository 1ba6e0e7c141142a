use flumen_model::{AccessKind, ClusterName, CredentialKind, EnvironmentName, Namespace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Kubernetes cluster that Flumen deploys to. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Counts the changes of how it is reached; the `ETag`.
    #[serde(default)]
    pub version: u64,
    /// When it was made; absent where that was not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Where its access comes from: `file` on the server's machine, `kubeconfig` that was given, `inCluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "kubeconfig")]
    pub access: Option<AccessKind>,
    /// The kubeconfig on the server's machine, of access `file`; else empty.
    pub kubeconfig: String,
    /// The context in the kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The address of its API server, if the kubeconfig could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What Flumen says with who it is: `token`, `clientCertificate`, `password`, `command`, `oidc`, `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "token")]
    pub credentials: Option<CredentialKind>,
    /// Who that is, or what makes it: the subject of a certificate or token, a user, a command, an issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the credentials end, where they say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// On behalf of whom Flumen asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_as: Option<String>,
    /// Whether the certificate of the API server is checked against an authority of the kubeconfig's own.
    #[serde(default)]
    pub private_authority: bool,
    /// Whether that certificate is not checked at all.
    #[serde(default)]
    pub insecure: bool,
    /// The proxy on the way, without user and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The environments in it.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub environments: Vec<EnvironmentName>,
    /// Whether it answered just now.
    pub reachable: bool,
    /// Its Kubernetes version, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Why it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A cluster to take in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddCluster {
    /// Its name.
    #[schema(value_type = String, example = "eu-1")]
    pub name: ClusterName,
    /// The text of a kubeconfig, as in `ClusterSource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// The context in it. Default: its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// `true` for the service account of the pod that the server runs in, instead of a kubeconfig.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cluster: bool,
}

impl AddCluster {
    /// A cluster of this name that is reached so.
    pub fn new(name: ClusterName, source: ClusterSource) -> Self {
        let ClusterSource { kubeconfig, context, in_cluster } = source;
        Self { name, kubeconfig, context, in_cluster }
    }

    /// Its name, and how it is reached.
    pub fn into_parts(self) -> (ClusterName, ClusterSource) {
        let Self { name, kubeconfig, context, in_cluster } = self;
        (name, ClusterSource { kubeconfig, context, in_cluster })
    }
}

/// How a cluster is reached: by a kubeconfig, or by the account of the pod that the server runs in.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSource {
    /// The text of a kubeconfig. It must name no files: what they hold belongs into it. It is encrypted and never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// The context in it. Default: its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// `true` for the service account of the pod that the server runs in, instead of a kubeconfig.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_cluster: bool,
}

/// Without the kubeconfig, which has keys in it.
impl std::fmt::Debug for ClusterSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ClusterSource")
            .field("context", &self.context)
            .field("in_cluster", &self.in_cluster)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AddCluster {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, source) = self.clone().into_parts();
        write!(out, "AddCluster({name}, {source:?})")
    }
}

/// Which namespace is looked at beside those of the cluster's environments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterCheckQuery {
    /// A namespace. Default: only those of environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub namespace: Option<Namespace>,
    /// The service account of Flink's pods in it. Default: those of the environments there, else `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
}

/// What Flink's pods need in the namespaces of a cluster, by the configurations of its environments and jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterNeeds {
    /// The namespaces of the cluster's environments, by name.
    pub namespaces: Vec<NamespaceNeeds>,
}

/// What Flink's pods need in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceNeeds {
    /// The namespace.
    #[schema(value_type = String)]
    pub namespace: Namespace,
    /// The service accounts that they run under.
    pub service_accounts: Vec<String>,
    /// Whether some have the network of the host.
    pub host_network: bool,
}

/// What a look at a cluster found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterCheck {
    /// The cluster.
    pub cluster: Cluster,
    /// What was looked at, one by one.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at, in a few words.
    pub name: String,
    /// What came of it.
    pub outcome: CheckOutcome,
    /// What was seen, in one sentence.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What came of a check.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum CheckOutcome {
    /// As it should be.
    Ok,
    /// Works, with a limit.
    Warn,
    /// Does not work.
    Fail,
}

impl CheckOutcome {
    /// The word as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}
