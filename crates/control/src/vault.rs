//! What is secret in the database is encrypted, under a key that is not in it.

use std::{
    io::ErrorKind,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_model::Secret;

use crate::{Error, identity, private_file};

/// The form of what is stored, for the day when there is another.
const FORM: &str = "1";
/// The key's file in the data directory, if no other is named.
pub(crate) const FILE: &str = "secret-key";

/// Encrypts and decrypts.
#[derive(Debug)]
pub(crate) enum Vault {
    /// The key was given.
    Given(Secret),
    /// It lies in a file, which is read each time: whoever puts the right one there need not start the server again.
    File(PathBuf),
}

struct Key {
    /// Names the key without telling anything of it.
    id: String,
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Key({})", self.id)
    }
}

impl Vault {
    /// Takes the key that is given, or that of the file, which is made at the first start. Where the file is gone although
    /// `is_used` says that something was encrypted under it, none is made: who puts the file back has everything again, at once.
    pub(crate) fn open(given: Option<&Secret>, file: &Path, is_used: bool) -> Result<Self, Error> {
        if let Some(given) = given {
            given_key(given)?;
            return Ok(Self::Given(given.clone()));
        }
        if read(file)?.is_none() && !is_used {
            let made = Secret::new(identity::sha256_hex(identity::token().expose().as_bytes()));
            private_file::make(file, &made)?;
        }
        Ok(Self::File(file.to_owned()))
    }

    /// Encrypts. What is made opens under the same `name` only, so that it cannot be put in the place of another.
    pub(crate) fn seal(&self, name: &str, secret: &Secret) -> Result<String, Error> {
        let key = self.key()?;
        let mut bytes = secret.expose().as_bytes().to_vec();
        let nonce = key.key.seal_in_place_append_tag(Aad::from(name), &mut bytes);
        let nonce =
            nonce.map_err(|_| Error::SecretKey { problem: "it does not encrypt".to_owned() })?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut bytes);
        Ok(format!("{FORM}:{}:{}", key.id, STANDARD.encode(whole)))
    }

    /// Decrypts what was sealed under this name.
    pub(crate) fn open_sealed(&self, name: &str, sealed: &str) -> Result<Secret, Error> {
        let key = self.key()?;
        let failed = |problem: &str| Error::SecretKey { problem: format!("{problem} {name}") };
        let mut parts = sealed.splitn(3, ':');
        let (form, id, text) = (parts.next(), parts.next(), parts.next());
        let text = text.filter(|_| form == Some(FORM));
        let text = text.ok_or_else(|| failed("another version of Flumen encrypted"))?;
        if id != Some(key.id.as_str()) {
            let problem = format!(
                "it is the key {}, and {name} is encrypted under the key {}",
                key.id,
                id.unwrap_or_default()
            );
            return Err(Error::SecretKey { problem });
        }
        let damaged = || failed("something has changed what is encrypted of");
        let mut bytes = STANDARD.decode(text).map_err(|_| damaged())?;
        if bytes.len() < NONCE_LEN {
            return Err(damaged());
        }
        let mut rest = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| damaged())?;
        let plain =
            key.key.open_in_place(nonce, Aad::from(name), &mut rest).map_err(|_| damaged())?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| damaged())?;
        Ok(Secret::new(text))
    }

    fn key(&self) -> Result<Key, Error> {
        match self {
            Self::Given(given) => given_key(given),
            Self::File(file) => read(file)?.ok_or_else(|| Error::SecretKey {
                problem: format!("its file {} is gone", file.display()),
            }),
        }
    }
}

fn given_key(given: &Secret) -> Result<Key, Error> {
    Key::of(given).ok_or_else(|| Error::SecretKey {
        problem: "FLUMEN_SECRET_KEY is no key: expected 64 hexadecimal digits".to_owned(),
    })
}

/// The key of a file that is there.
fn read(file: &Path) -> Result<Option<Key>, Error> {
    let shown = file.display();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::file("read", file)(source)),
    };
    let mode = std::fs::metadata(file).map_err(Error::file("look at", file))?.permissions().mode();
    if mode & 0o077 != 0 {
        let problem = format!(
            "others than its owner may use its file {shown} (mode {:o}); run `chmod 600 {shown}`",
            mode & 0o777
        );
        return Err(Error::SecretKey { problem });
    }
    let key = Key::of(&text).ok_or_else(|| Error::SecretKey {
        problem: format!("its file {shown} holds no key: expected 64 hexadecimal digits"),
    })?;
    Ok(Some(key))
}

impl Key {
    fn of(text: &Secret) -> Option<Self> {
        let text = text.expose().trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        let hash = digest(&SHA256, &[b"id of ".as_slice(), &bytes].concat());
        let [a, b, c, d] = hash.as_ref().first_chunk::<4>().copied()?;
        let id = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
        Some(Self { id, key: RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("hunter2".to_owned())
    }

    #[test]
    fn what_is_sealed_opens_after_a_restart_under_its_name_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE);
        let first = Vault::open(None, &file, false).expect("a key");
        let sealed = first.seal("cluster eu", &secret()).expect("sealed");
        assert!(!sealed.contains("hunter2"), "{sealed}");
        assert_ne!(sealed, first.seal("cluster eu", &secret()).expect("sealed"));
        let again = Vault::open(None, &file, true).expect("the key");
        assert_eq!(again.open_sealed("cluster eu", &sealed).expect("opened"), secret());
        let told = again.open_sealed("cluster us", &sealed).expect_err("refused").to_string();
        assert!(told.contains("something has changed what is encrypted of cluster us"), "{told}");
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let given = Secret::new(std::fs::read_to_string(&file).expect("a key"));
        let vault = Vault::open(Some(&given), &file, true).expect("a key");
        assert!(!format!("{vault:?}").contains(given.expose()));
    }

    #[test]
    fn a_wrong_key_is_forgotten_as_soon_as_the_right_one_is_in_its_place() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE);
        let first = Vault::open(None, &file, false).expect("a key");
        let sealed = first.seal("cluster eu", &secret()).expect("sealed");
        let right = std::fs::read(&file).expect("a key");
        std::fs::write(&file, "b2".repeat(32)).expect("written");
        let vault = Vault::open(None, &file, true).expect("a key");
        let told = vault.open_sealed("cluster eu", &sealed).expect_err("refused").to_string();
        assert!(told.contains("cluster eu is encrypted under the key"), "{told}");
        std::fs::write(&file, right).expect("written");
        assert_eq!(vault.open_sealed("cluster eu", &sealed).expect("opened"), secret());
    }

    #[test]
    fn servers_that_start_first_and_at_once_have_one_key() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE);
        let together = std::sync::Barrier::new(8);
        let open = || {
            together.wait();
            Vault::open(None, &file, false).expect("a key")
        };
        let vaults: Vec<Vault> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            started.into_iter().map(|one| one.join().expect("opened")).collect()
        });
        let sealed = vaults[0].seal("cluster eu", &secret()).expect("sealed");
        for vault in &vaults {
            assert_eq!(vault.open_sealed("cluster eu", &sealed).expect("opened"), secret());
        }
    }

    #[test]
    fn a_key_that_is_gone_wrong_or_open_to_others_is_said_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(FILE);
        let gone = Vault::open(None, &file, true).expect("opened without a key");
        let told = gone.seal("cluster eu", &secret()).expect_err("refused").to_string();
        assert!(told.contains("is gone"), "{told}");
        assert!(!file.exists(), "no other is made");
        std::fs::write(&file, "a1".repeat(32)).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
        assert!(gone.seal("cluster eu", &secret()).is_ok(), "it is back");

        let given = Secret::new("a1".repeat(32));
        let vault = Vault::open(Some(&given), &file, true).expect("a key");
        let sealed = vault.seal("cluster eu", &secret()).expect("sealed");
        let other = Vault::open(Some(&Secret::new("b2".repeat(32))), &file, true).expect("a key");
        let told = other.open_sealed("cluster eu", &sealed).expect_err("refused").to_string();
        assert!(told.contains("cluster eu is encrypted under the key"), "{told}");
        assert!(Vault::open(Some(&Secret::new("short".to_owned())), &file, true).is_err());

        std::fs::write(&file, "a1".repeat(32)).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        let told = Vault::open(None, &file, true).expect_err("refused").to_string();
        assert!(told.contains("(mode 640); run `chmod 600"), "{told}");
    }
}
