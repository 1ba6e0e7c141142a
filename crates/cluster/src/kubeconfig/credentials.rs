//! What the fields of a user may hold, in the order in which clients look at them.

use flumen_model::{ClusterAccess, CredentialKind};
use jiff::Timestamp;
use serde_json::{Map, Value};
use x509_parser::pem::Pem;

use super::{Chosen, Error, check::NO_TEXT, text};
use crate::jwt::{claims, end};

/// The field of an OIDC provider that names the file of its authority, and the one that has it.
pub(super) const OIDC_AUTHORITY: &str = "idp-certificate-authority";
pub(super) const OIDC_AUTHORITY_DATA: &str = "idp-certificate-authority-data";

/// By what an OIDC token is renewed.
const RENEWING: [&str; 4] = ["client-id", "client-secret", "idp-issuer-url", "refresh-token"];

/// What variables begin with by which a program can be made to run another one: those of the loader, of shells, of the
/// languages that such commands are written in, and those that name files of settings in which a program may stand.
const DANGEROUS: [&str; 19] = [
    "LD_",
    "DYLD_",
    "GCONV_",
    "BASH",
    "ENV",
    "SHELLOPTS",
    "PS4",
    "IFS",
    "PYTHON",
    "NODE_",
    "RUBY",
    "PERL",
    "JAVA_TOOL_OPTIONS",
    "HOME",
    "XDG_",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "CLOUDSDK_PYTHON",
    "GIT_",
];

/// A name that is no more than a name: shells take some others for functions.
fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Chosen {
    pub(super) fn credentials(
        &self,
        access: &mut ClusterAccess,
        now: Timestamp,
        notes: &mut Vec<String>,
    ) -> Result<(), Error> {
        for field in ["token", "username", "password", "as", "as-uid"] {
            self.is_text(&self.user, field)?;
        }
        self.are_texts("as-groups", self.user.get("as-groups"))?;
        let extra = self.user.get("as-user-extra").and_then(Value::as_object);
        for (_, values) in extra.into_iter().flatten() {
            self.are_texts("as-user-extra", Some(values))?;
        }
        access.acts_as = text(&self.user, "as").map(str::to_owned);
        self.client_certificate(access, now)?;
        if let Some(provider) = self.user.get("auth-provider").filter(|value| !value.is_null()) {
            return self.provider(provider, access, now);
        }
        if let (Some(user), Some(_)) = (text(&self.user, "username"), text(&self.user, "password"))
        {
            access.credentials = Some(CredentialKind::Password);
            access.account = Some(user.to_owned());
            notes.push(
                "Kubernetes takes no password since 1.19; only a proxy before the API server may."
                    .to_owned(),
            );
            return Ok(());
        }
        if let Some(token) = text(&self.user, "token") {
            return self.token("token", token, access, now);
        }
        if let Some(exec) = self.user.get("exec").filter(|value| !value.is_null()) {
            return self.command(exec, access, notes);
        }
        if access.credentials.is_none() {
            access.credentials = Some(CredentialKind::None);
            notes.push(
                "The context has no credentials: the API server takes Flumen for system:anonymous."
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn client_certificate(&self, access: &mut ClusterAccess, now: Timestamp) -> Result<(), Error> {
        const CERTIFICATE: &str = "client-certificate-data";
        const KEY: &str = "client-key-data";
        let certificate = self.data(&self.user, CERTIFICATE)?;
        let key = self.data(&self.user, KEY)?;
        let (certificate, key) = match (certificate, key) {
            (None, None) => return Ok(()),
            (Some(_), None) => {
                return Err(
                    self.fault(CERTIFICATE, "has no key beside it (client-key or client-key-data)")
                );
            }
            (None, Some(_)) => {
                return Err(self.fault(
                    KEY,
                    "has no certificate beside it (client-certificate or client-certificate-data)",
                ));
            }
            (Some(certificate), Some(key)) => (certificate, key),
        };
        let found = self.certificates(CERTIFICATE, &certificate)?;
        let first = &found[0];
        if first.until < now {
            return Err(self.fault(CERTIFICATE, format!("ended at {}: get a new one", first.until)));
        }
        if first.from > now {
            return Err(self.fault(
                CERTIFICATE,
                format!("is good from {} on only; is the clock of this machine right?", first.from),
            ));
        }
        self.key(KEY, &key)?;
        access.credentials = Some(CredentialKind::ClientCertificate);
        access.account = Some(first.subject.clone());
        access.expires = Some(first.until);
        Ok(())
    }

    fn key(&self, field: &str, pem: &[u8]) -> Result<(), Error> {
        for block in Pem::iter_from_buffer(pem) {
            let block = block.map_err(|_| self.fault(field, "is not PEM"))?;
            match block.label.as_str() {
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => return Ok(()),
                "ENCRYPTED PRIVATE KEY" => {
                    return Err(self.fault(field, "has a password; store the key without one"));
                }
                _ => {}
            }
        }
        Err(self
            .fault(field, "has no private key in it (expected PEM: -----BEGIN PRIVATE KEY-----)"))
    }

    fn token(
        &self,
        field: &str,
        token: &str,
        access: &mut ClusterAccess,
        now: Timestamp,
    ) -> Result<(), Error> {
        if token.chars().any(|one| one.is_whitespace() || one.is_control() || !one.is_ascii()) {
            return Err(self.fault(field, "has a blank or another character that no token has"));
        }
        access.credentials = Some(CredentialKind::Token);
        access.account = None;
        access.expires = None;
        if let Some(claims) = claims(token) {
            access.account = claims["sub"].as_str().map(str::to_owned);
            access.expires = end(&claims);
            if let Some(end) = access.expires.filter(|end| *end < now) {
                return Err(self.fault(field, format!("ended at {end}: get a new one")));
            }
        }
        Ok(())
    }

    fn command(
        &self,
        exec: &Value,
        access: &mut ClusterAccess,
        notes: &mut Vec<String>,
    ) -> Result<(), Error> {
        let command = exec["command"].as_str().filter(|command| !command.is_empty());
        let command = command.ok_or_else(|| self.fault("exec.command", "is missing"))?;
        if exec["interactiveMode"].as_str() == Some("Always") {
            return Err(self.fault(
                "exec.interactiveMode",
                "is Always, and nobody sits before the server who could answer",
            ));
        }
        self.are_texts("exec.args", exec.get("args"))?;
        for variable in exec["env"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap_or_default();
            if !variable["value"].is_string() {
                return Err(self.fault("exec.env", format!("sets {name:?} to no text")));
            }
            if !is_variable(name) {
                return Err(self.fault("exec.env", format!("sets {name:?}, which is no variable")));
            }
            if name == "PATH" || DANGEROUS.iter().any(|prefix| name.starts_with(prefix)) {
                return Err(self.fault(
                    "exec.env",
                    format!("sets {name}, by which another program than the command could be run"),
                ));
            }
        }
        access.credentials = Some(CredentialKind::Command);
        access.account = Some(command.to_owned());
        access.expires = None;
        notes.push(format!("The command {command} makes the credentials. It is run on the server's machine, has to be installed there, and finds the files and variables of that machine."));
        Ok(())
    }

    fn provider(
        &self,
        provider: &Value,
        access: &mut ClusterAccess,
        now: Timestamp,
    ) -> Result<(), Error> {
        const FIELD: &str = "auth-provider";
        let name = provider["name"].as_str().unwrap_or_default();
        if name != "oidc" {
            return Err(
                self.fault(FIELD, format!("is {name:?}, which is not supported: only oidc is"))
            );
        }
        let empty = Map::new();
        let config = provider["config"].as_object().unwrap_or(&empty);
        if text(config, OIDC_AUTHORITY_DATA).is_some() {
            return Err(self.fault(
                format!("{FIELD}.{OIDC_AUTHORITY_DATA}"),
                "is not supported: the issuer must have a certificate that the server's machine trusts",
            ));
        }
        for field in config.keys() {
            let whole = format!("{FIELD}.{field}");
            self.is_text(config, field).map_err(|_| self.fault(whole, NO_TEXT))?;
        }
        let issuer = text(config, "idp-issuer-url");
        if issuer.is_some_and(|issuer| !issuer.starts_with("https://")) {
            return Err(
                self.fault(format!("{FIELD}.idp-issuer-url"), "does not begin with https://")
            );
        }
        let field = format!("{FIELD}.id-token");
        // The library renews a token that has ended, but wants to see when it did.
        let token = text(config, "id-token").ok_or_else(|| self.fault(&field, "is missing"))?;
        if claims(token).and_then(|claims| end(&claims)).is_none() {
            return Err(
                self.fault(field, "does not say when it ends: it is no JWT with the claim exp")
            );
        }
        let is_renewed = RENEWING.iter().all(|key| config.contains_key(*key));
        access.expires = None;
        self.token(&field, token, access, if is_renewed { Timestamp::MIN } else { now })?;
        if is_renewed {
            access.expires = None;
        }
        access.credentials = Some(CredentialKind::Oidc);
        access.account =
            text(config, "idp-issuer-url").map(str::to_owned).or_else(|| access.account.take());
        Ok(())
    }
}
