use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How Flumen gets at a cluster, without anything secret: what of it can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterAccess {
    /// Where the access comes from.
    pub kind: AccessKind,
    /// The kubeconfig file on the server's machine, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The context in the kubeconfig. Default: its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The address of the API server, if it stands in the kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How Flumen says who it is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialKind>,
    /// Who that is: the subject of a certificate or token, a user, a command, an issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the credentials end, where they say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Whether the API server's certificate is checked against an authority of the kubeconfig's own.
    #[serde(default)]
    pub private_authority: bool,
    /// Whether the API server's certificate is not checked at all.
    #[serde(default)]
    pub insecure: bool,
    /// The proxy on the way, without user and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// On behalf of whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_as: Option<String>,
}

impl ClusterAccess {
    /// One of this kind, of which nothing else is known.
    pub const fn of(kind: AccessKind) -> Self {
        Self {
            kind,
            file: None,
            context: None,
            server: None,
            credentials: None,
            account: None,
            expires: None,
            private_authority: false,
            insecure: false,
            proxy: None,
            acts_as: None,
        }
    }
}

/// Where the access to a cluster comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccessKind {
    /// A kubeconfig file on the server's machine, as the local cluster has one.
    File,
    /// A kubeconfig that was given to Flumen.
    Kubeconfig,
    /// The service account of the pod that the server runs in.
    InCluster,
}

/// How one says to an API server who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialKind {
    /// A bearer token.
    Token,
    /// A client certificate.
    ClientCertificate,
    /// A user's name and password.
    Password,
    /// What a command prints.
    Command,
    /// A token of an `OpenID` Connect issuer, which is renewed there.
    Oidc,
    /// Not at all.
    None,
}

impl CredentialKind {
    /// As users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ClientCertificate => "client certificate",
            Self::Password => "user and password",
            Self::Command => "command",
            Self::Oidc => "OpenID Connect",
            Self::None => "none",
        }
    }
}
