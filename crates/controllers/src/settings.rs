//! What the controllers are told.

/// Settings of the controllers.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The certificate authority of the API server in PEM, published in each namespace as the config map `kube-root-ca.crt`.
    /// Without it that config map is left to others. Default: none.
    pub root_certificate: Option<String>,
}
