//! What the command of a kubeconfig prints: an `ExecCredential` of `client.authentication.k8s.io`.

use flumen_model::Secret;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{certificate, jwt};

/// What a command gave, as far as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecCredential {
    /// The token.
    pub token: Option<Secret>,
    /// The certificate with its key.
    pub certificate: Option<ClientCertificate>,
    /// When it ends: as the command says, else as the token and the certificate say. None where nothing says it.
    pub until: Option<Timestamp>,
}

/// A certificate for TLS, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM.
    pub certificate: String,
    /// PEM.
    pub key: Secret,
}

/// Why what a command printed cannot be used, as the rest of a sentence. Nothing of it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecCredentialError {
    /// It is something else.
    #[error("gave no ExecCredential with a status")]
    Other,
    /// It has neither a token nor a certificate.
    #[error("gave an ExecCredential with neither a token nor a certificate")]
    Empty,
    /// One of a certificate and its key is missing.
    #[error("gave only one of clientCertificateData and clientKeyData")]
    Half,
    /// No header can have the token.
    #[error("gave a token with a blank or another character that no token has")]
    Token,
    /// The certificate is none.
    #[error("gave a clientCertificateData that {0}")]
    Certificate(&'static str),
    /// The end is no time.
    #[error("gave an expirationTimestamp that is no time of RFC 3339")]
    Expiration,
    /// It is over.
    #[error("gave credentials that ended at {0}; is the clock of this machine right?")]
    Ended(Timestamp),
}

#[derive(Deserialize)]
struct Document {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl ExecCredential {
    /// Reads what a command printed, JSON or YAML.
    ///
    /// # Errors
    /// [`ExecCredentialError`].
    pub fn parse(printed: &str, now: Timestamp) -> Result<Self, ExecCredentialError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let document: Document = serde_saphyr::from_str_with_options(printed, options)
            .map_err(|_| ExecCredentialError::Other)?;
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let status = document.status.ok_or(ExecCredentialError::Other)?;
        let certificate = match (some(status.client_certificate_data), some(status.client_key_data))
        {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate, key: Secret::new(key) })
            }
            _ => return Err(ExecCredentialError::Half),
        };
        let token = some(status.token);
        if token.is_none() && certificate.is_none() {
            return Err(ExecCredentialError::Empty);
        }
        if token.iter().any(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ExecCredentialError::Token);
        }
        let token_until =
            token.as_deref().and_then(jwt::claims).and_then(|claims| jwt::end(&claims));
        let certificate_until = certificate.as_ref().map(end_of).transpose()?;
        let until = match some(status.expiration_timestamp) {
            Some(told) => Some(told.parse().map_err(|_| ExecCredentialError::Expiration)?),
            None => token_until.into_iter().chain(certificate_until).min(),
        };
        if let Some(until) = until.filter(|until| *until <= now) {
            return Err(ExecCredentialError::Ended(until));
        }
        Ok(Self { token: token.map(Secret::new), certificate, until })
    }
}

fn end_of(given: &ClientCertificate) -> Result<Timestamp, ExecCredentialError> {
    let all = certificate::all(given.certificate.as_bytes());
    Ok(all.map_err(ExecCredentialError::Certificate)?[0].until)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    fn parse(status: &Value) -> Result<ExecCredential, ExecCredentialError> {
        let printed = json!({"kind": "ExecCredential", "status": status}).to_string();
        ExecCredential::parse(&printed, time("2026-01-01T00:00:00Z"))
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn jwt(claims: &Value) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn certificate(until: i32) -> (String, String) {
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn the_end_is_what_the_command_says_else_the_tokens_or_the_certificates_sooner_one() {
        let (certificate, key) = certificate(2027);
        let token = jwt(&json!({"exp": time("2026-06-01T00:00:00Z").as_second()}));
        for (status, until) in [
            (json!({"token": "opaque"}), None),
            (json!({"token": token}), Some("2026-06-01T00:00:00Z")),
            (
                json!({"token": token, "expirationTimestamp": "2026-02-01T01:00:00+01:00"}),
                Some("2026-02-01T00:00:00Z"),
            ),
            (
                json!({"clientCertificateData": certificate, "clientKeyData": key}),
                Some("2027-01-01T00:00:00Z"),
            ),
            (
                json!({"token": token, "clientCertificateData": certificate, "clientKeyData": key}),
                Some("2026-06-01T00:00:00Z"),
            ),
        ] {
            assert_eq!(parse(&status).unwrap().until, until.map(time), "{status}");
        }
        let yaml = "kind: ExecCredential\nstatus:\n  token: opaque\n";
        let given = ExecCredential::parse(yaml, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(given.token.unwrap().expose(), "opaque");
    }

    #[test]
    fn what_cannot_be_used_is_told_without_its_content() {
        let (certificate, key) = certificate(2020);
        for (status, expected) in [
            (json!(null), "no ExecCredential with a status"),
            (json!({}), "neither a token nor a certificate"),
            (json!({"token": ""}), "neither a token nor a certificate"),
            (json!({"token": "hunter2\nX: y"}), "a blank or another character"),
            (json!({"clientKeyData": key}), "only one of"),
            (
                json!({"clientCertificateData": "hunter2", "clientKeyData": "hunter2"}),
                "clientCertificateData that has no certificate in it",
            ),
            (
                json!({"clientCertificateData": certificate, "clientKeyData": key}),
                "credentials that ended at 2020-01-01T00:00:00Z",
            ),
            (json!({"token": "hunter2", "expirationTimestamp": "soon"}), "no time of RFC 3339"),
            (
                json!({"token": "hunter2", "expirationTimestamp": "2026-01-01T00:00:00Z"}),
                "credentials that ended at 2026-01-01T00:00:00Z",
            ),
        ] {
            let error = parse(&status).unwrap_err().to_string();
            assert!(error.contains(expected), "{status}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
