//! A server that the suite is run against.

use std::time::Duration;

use anyhow::{Context, Result};

/// Where a server is and how to be let in.
#[derive(Clone)]
pub struct Target {
    /// Such as `https://127.0.0.1:6443`.
    pub url: String,
    /// The certificates that are trusted, as PEM.
    pub authority: String,
    /// The administrator's token.
    pub token: String,
}

impl Target {
    pub(crate) fn client(&self) -> Result<reqwest::Client> {
        let authority = reqwest::Certificate::from_pem_bundle(self.authority.as_bytes())
            .context("the authority is no certificate")?;
        reqwest::Client::builder()
            .tls_certs_only(authority)
            .no_proxy()
            // The name under which the changes of the suite are noted.
            .user_agent("conformance/1")
            .connect_timeout(Duration::from_secs(10))
            .http1_only()
            .build()
            .context("could not make a client")
    }
}
