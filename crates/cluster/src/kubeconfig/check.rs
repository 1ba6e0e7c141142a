//! What the fields of a cluster may hold.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_model::{AccessKind, ClusterAccess};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Chosen, Error, text};
use crate::certificate::{self, Certificate};

/// YAML makes a number of `token: 12345`.
pub(super) const NO_TEXT: &str = "is no text; put it in quotes";

impl Chosen {
    /// Checks everything that will be used, and says what of it can be shown.
    pub(super) fn access(
        &self,
        now: Timestamp,
        notes: &mut Vec<String>,
    ) -> Result<ClusterAccess, Error> {
        let mut access = ClusterAccess::of(AccessKind::Kubeconfig);
        access.context = Some(self.context.clone());
        access.server = Some(self.server()?);
        access.insecure = self.flag("insecure-skip-tls-verify")?;
        access.private_authority = self.authorities(now)?;
        access.proxy = self.proxy()?;
        self.is_text(&self.cluster, "tls-server-name")?;
        if access.insecure {
            notes.push("The certificate of the API server is not checked (insecure-skip-tls-verify): whoever is on the way can read the credentials and answer in its place.".to_owned());
        }
        if access.server.as_deref().is_some_and(|server| server.starts_with("http://")) {
            notes.push("The API server is asked without TLS (http://).".to_owned());
        }
        self.credentials(&mut access, now, notes)?;
        Ok(access)
    }

    fn server(&self) -> Result<String, Error> {
        const FIELD: &str = "server";
        self.is_text(&self.cluster, FIELD)?;
        let server = text(&self.cluster, FIELD)
            .ok_or_else(|| self.fault(FIELD, "is missing: the address of the API server"))?;
        let rest = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://"));
        let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.starts_with('/')) else {
            return Err(self.fault(FIELD, "is no address: expected https://HOST:PORT"));
        };
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') {
            return Err(
                self.fault(FIELD, "has a user or password in it; give them as the user's fields")
            );
        }
        if server.chars().any(|one| one.is_whitespace() || one.is_control()) {
            return Err(self.fault(FIELD, "has a blank in it"));
        }
        Ok(server.to_owned())
    }

    /// Whether there are authorities of its own; all must be certificates, and one be good now.
    fn authorities(&self, now: Timestamp) -> Result<bool, Error> {
        const FIELD: &str = "certificate-authority-data";
        let Some(bytes) = self.data(&self.cluster, FIELD)? else { return Ok(false) };
        let found = self.certificates(FIELD, &bytes)?;
        if let Some(last) = found.iter().map(|one| one.until).max().filter(|until| *until < now) {
            return Err(self.fault(
                FIELD,
                format!("ended at {last}: the API server has another authority by now"),
            ));
        }
        Ok(true)
    }

    fn proxy(&self) -> Result<Option<String>, Error> {
        const FIELD: &str = "proxy-url";
        self.is_text(&self.cluster, FIELD)?;
        let Some(proxy) = text(&self.cluster, FIELD) else { return Ok(None) };
        let allowed = ["http://", "https://", "socks5://"];
        let Some(scheme) = allowed.iter().find(|scheme| proxy.starts_with(**scheme)) else {
            return Err(self.fault(
                FIELD,
                "is no proxy: expected http://, https:// or socks5:// and HOST:PORT",
            ));
        };
        let rest = &proxy[scheme.len()..];
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        if host.is_empty() {
            return Err(self.fault(FIELD, "names no host"));
        }
        Ok(Some(format!("{scheme}{host}")))
    }

    fn flag(&self, field: &str) -> Result<bool, Error> {
        match self.cluster.get(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.fault(field, "is neither true nor false")),
        }
    }

    /// Refuses a number where a text belongs.
    pub(super) fn is_text(&self, part: &Map<String, Value>, field: &str) -> Result<(), Error> {
        match part.get(field) {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(_) => Err(self.fault(field, NO_TEXT)),
        }
    }

    /// Refuses anything but texts in a list.
    pub(super) fn are_texts(&self, field: &str, list: Option<&Value>) -> Result<(), Error> {
        match list {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
            Some(_) => Err(self.fault(field, "is no list of texts; put each in quotes")),
        }
    }

    /// The content of a field with base64.
    pub(super) fn data(
        &self,
        part: &Map<String, Value>,
        field: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.is_text(part, field)?;
        let Some(encoded) = text(part, field) else { return Ok(None) };
        let encoded: String = encoded.split_whitespace().collect();
        STANDARD.decode(encoded).map(Some).map_err(|_| self.fault(field, "is not base64"))
    }

    pub(super) fn certificates(&self, field: &str, pem: &[u8]) -> Result<Vec<Certificate>, Error> {
        certificate::all(pem).map_err(|problem| self.fault(field, problem))
    }
}
