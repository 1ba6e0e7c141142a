//! Passwords that stand encrypted in `settings.xml`: `{…}`, under a master password that stands encrypted under a text
//! that everybody knows. The scheme is that of Maven 3: AES-128-CBC, key and start value from SHA-256 of password and salt.

use aws_lc_rs::{
    cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_model::Secret;
use sha2::{Digest as _, Sha256};

/// What the master password is encrypted under.
const OF_MASTER: &str = "settings.security";
const SALT: usize = 8;

/// The encrypted part of a text, between braces that no backslash stands before.
pub(super) fn encrypted(text: &str) -> Option<&str> {
    let start = text.find('{')?;
    if text[..start].ends_with('\\') {
        return None;
    }
    let rest = &text[start + 1..];
    rest.find('}').map(|end| rest[..end].trim())
}

/// The master password of the text in `settings-security.xml`.
pub(super) fn master(text: &str) -> Result<Secret, &'static str> {
    match encrypted(text) {
        Some(inner) => decrypt(inner, &Secret::new(OF_MASTER.to_owned())),
        None => Err("the master password in settings-security.xml stands in no braces"),
    }
}

/// Decrypts what stands between the braces.
pub(super) fn decrypt(text: &str, password: &Secret) -> Result<Secret, &'static str> {
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).map_err(|_| "what stands in the braces is no base64")?;
    let damaged = "what stands in the braces is too short or cut off";
    let (salt, rest) = bytes.split_at_checked(SALT).ok_or(damaged)?;
    let (padding, rest) = rest.split_first().ok_or(damaged)?;
    let end = rest.len().checked_sub(usize::from(*padding)).ok_or(damaged)?;
    let digest = Sha256::new().chain_update(password.expose()).chain_update(salt).finalize();
    let (key, start) = digest.split_at(16);
    let wrong = "it was encrypted under another master password, or is damaged";
    let key = UnboundCipherKey::new(&AES_128, key).map_err(|_| wrong)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| wrong)?;
    let start = FixedLength::try_from(start).map_err(|_| wrong)?;
    let mut text = rest[..end].to_vec();
    let plain = key.decrypt(&mut text, DecryptionContext::Iv128(start)).map_err(|_| wrong)?;
    String::from_utf8(plain.to_vec()).map(Secret::new).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `mvn --encrypt-master-password` and `mvn --encrypt-password` of Maven 3.8.7.
    const MASTER: &str = "{ApeD/aOa/vkHAs/awUcMRQX1RMP74MJm4v8IzAtGbIU=}";
    const PASSWORD: &str = "{ov+1KkdEtQoHg5Alfo0k8dSDCHQQ5hwqg8YfSG/Af5g=}";

    #[test]
    fn what_maven_encrypted_is_decrypted() {
        let master = master(MASTER).expect("a master password");
        assert_eq!(master.expose(), "master pw");
        let with_words = format!("expires in May {PASSWORD}");
        let inner = encrypted(&with_words).expect("braces");
        assert_eq!(decrypt(inner, &master).expect("a password").expose(), "geheim äö");
    }

    #[test]
    fn what_is_damaged_is_refused_without_a_panic() {
        let master = Secret::new("other".to_owned());
        for text in
            ["", "!", "AAAA", "AAAAAAAAAAAA", "ov+1KkdEtQoHg5Alfo0k8dSDCHQQ5hwqg8YfSG/Af5g="]
        {
            assert!(decrypt(text, &master).is_err(), "{text}");
        }
        assert_eq!(encrypted("\\{no\\}"), None);
        assert_eq!(encrypted("plain"), None);
    }
}
