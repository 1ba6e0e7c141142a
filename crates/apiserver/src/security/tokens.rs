//! Bearer tokens: the administrator's, and the signed ones of service accounts.

use std::path::Path;

use aws_lc_rs::{
    constant_time,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};

use super::files;
use crate::Error;

/// The issuer, which is also the audience that tokens have unless they are asked for others.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// An object that a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// What a token says about its holder inside the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) namespace: String,
    pub(crate) serviceaccount: Bound,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pod: Option<Bound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<Bound>,
}

/// The claims of a service account's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: Vec<String>,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) iss: String,
    pub(crate) jti: String,
    pub(crate) nbf: i64,
    pub(crate) sub: String,
    #[serde(rename = "kubernetes.io")]
    pub(crate) holder: Holder,
}

/// The audiences that the `spec` of a request asks for: this server, unless it names others.
pub(crate) fn audiences(named: Vec<String>) -> Vec<String> {
    if named.is_empty() { vec![ISSUER.to_owned()] } else { named }
}

/// Makes and checks tokens.
pub(crate) struct Tokens {
    administrator: String,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Tokens {
    /// Reads the keys from a directory, or makes them there.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let token_path = directory.join("admin-token");
        let administrator = match files::read(&token_path)? {
            Some(token) if !token.trim().is_empty() => token.trim().to_owned(),
            _ => {
                let token = random_token();
                files::write_private(&token_path, token.as_bytes())?;
                token
            }
        };
        let key_path = directory.join("service-account.key");
        let unusable = || Error::Key { path: key_path.clone() };
        let pkcs8 = if let Some(text) = files::read(&key_path)? {
            STANDARD.decode(text.trim()).map_err(|_| unusable())?
        } else {
            let key =
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| unusable())?;
            let pkcs8 = key.to_pkcs8v1().map_err(|_| unusable())?.as_ref().to_vec();
            files::write_private(&key_path, STANDARD.encode(&pkcs8).as_bytes())?;
            pkcs8
        };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|_| unusable())?;
        Ok(Self { administrator, key, random: SystemRandom::new() })
    }

    /// The token of the administrator.
    pub(crate) fn administrator(&self) -> &str {
        &self.administrator
    }

    pub(crate) fn is_administrator(&self, token: &str) -> bool {
        constant_time::verify_slices_are_equal(token.as_bytes(), self.administrator.as_bytes())
            .is_ok()
    }

    /// Signs claims; `None` only if the system has no randomness.
    pub(crate) fn sign(&self, claims: &Claims) -> Option<String> {
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"ES256","typ":"JWT"}"#);
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).ok()?);
        let message = format!("{header}.{payload}");
        let signature = self.key.sign(&self.random, message.as_bytes()).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }

    /// The claims of a token that this cluster signed; whether they hold now is for the caller to see.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header["alg"] != "ES256" {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref())
            .verify(message.as_bytes(), &signature)
            .ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

fn random_token() -> String {
    let bytes = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Bound, Claims, Holder, ISSUER, Tokens};

    fn claims() -> Claims {
        Claims {
            aud: vec![ISSUER.into()],
            exp: 2,
            iat: 1,
            iss: ISSUER.into(),
            jti: "x".into(),
            nbf: 1,
            sub: "system:serviceaccount:a:b".into(),
            holder: Holder {
                namespace: "a".into(),
                serviceaccount: Bound { name: "b".into(), uid: "u".into() },
                pod: None,
                secret: None,
            },
        }
    }

    #[test]
    fn a_token_is_still_good_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let token = Tokens::open(directory.path()).unwrap().sign(&claims()).unwrap();
        assert_eq!(Tokens::open(directory.path()).unwrap().verify(&token), Some(claims()));
    }

    #[test]
    fn a_token_that_was_changed_or_signed_by_others_is_refused() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tokens = Tokens::open(ours.path()).unwrap();
        let token = tokens.sign(&claims()).unwrap();
        let mut parts: Vec<&str> = token.split('.').collect();
        let other = Tokens::open(theirs.path()).unwrap().sign(&claims()).unwrap();
        assert_eq!(tokens.verify(&other), None);
        parts[1] = "e30";
        assert_eq!(tokens.verify(&parts.join(".")), None);
        assert_eq!(tokens.verify("nonsense"), None);
    }
}
