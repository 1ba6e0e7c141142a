//! The HTTP API as the commands see it: one [`Call`] per request.

use std::time::Duration;

use flumen_model::Secret;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{Error, Settings};

mod call;
mod events;

pub(crate) use call::Call;
pub(crate) use events::events;

const CONNECT: Duration = Duration::from_secs(5);

/// A connection to one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    token: Option<Secret>,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let agent = concat!("flumen/", env!("CARGO_PKG_VERSION"));
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT).user_agent(agent);
        if is_loopback(&settings.server) {
            // A proxy of the surroundings cannot reach this machine's loopback, and the token must
            // not pass through one.
            builder = builder.no_proxy();
        }
        if settings.server.scheme() == "http" {
            // Reading the system's certificates takes longer than most commands, and redirects are not followed.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| Error::Prepare { server: settings.server.to_string(), source })?;
        Ok(Self { http, server: settings.server.clone(), token: settings.token.clone() })
    }

    /// A request to `path` below `/api/v1`; `action` ends the sentence "could not …".
    pub(crate) fn call(
        &self,
        method: Method,
        action: impl Into<String>,
        path: &[&str],
    ) -> Call<'_> {
        Call::new(self, method, action.into(), path)
    }

    /// Fetches one value.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        action: impl Into<String>,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Error> {
        self.call(Method::GET, action, path).query(query).fetch().await
    }
}

fn is_loopback(server: &Url) -> bool {
    match server.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
