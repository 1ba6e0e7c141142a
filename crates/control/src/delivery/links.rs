//! Signed links to artifacts: whoever has one may read that artifact until it ends, and nothing else.

use std::{io::ErrorKind, path::Path};

use aws_lc_rs::hmac;
use flumen_model::{Digest, Secret};
use jiff::Timestamp;

use crate::{Error, identity, private_file};

/// The key's file in the data directory, which only the server's user can read.
const FILE: &str = "link-key";

/// The key that links are signed with.
#[derive(Debug)]
pub(crate) struct Links {
    key: Secret,
}

impl Links {
    /// Reads the key, or makes it at the first start. Without its file all links end.
    pub(crate) fn open(data_directory: &Path) -> Result<Self, Error> {
        let path = data_directory.join(FILE);
        let key = match std::fs::read_to_string(&path) {
            Ok(text) => Secret::new(text.trim().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                private_file::make(&path, &identity::token())?
            }
            Err(source) => return Err(Error::file("read", path)(source)),
        };
        Ok(Self { key })
    }

    /// The path and query of a link that is good until then.
    pub(crate) fn link(&self, digest: &Digest, expires: Timestamp) -> Secret {
        use std::fmt::Write as _;

        let expires = expires.as_second();
        let mut signature = String::with_capacity(64);
        for byte in hmac::sign(&self.key(), &signed(digest, expires)).as_ref() {
            write!(signature, "{byte:02x}").expect("writing to a String does not fail");
        }
        Secret::new(format!(
            "/api/v1/artifacts/{digest}/content?expires={expires}&signature={signature}"
        ))
    }

    /// Whether a link is one of ours and good now.
    pub(crate) fn check(
        &self,
        digest: &Digest,
        (expires, signature): (i64, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        let refuse = |problem| Err(Error::Link { problem });
        let Some(signature) = bytes(signature) else {
            return refuse("its signature is not a signature");
        };
        if hmac::verify(&self.key(), &signed(digest, expires), &signature).is_err() {
            return refuse("its signature is wrong");
        }
        if now.as_second() >= expires {
            return refuse("its time is over");
        }
        Ok(())
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.key.expose().as_bytes())
    }
}

/// What a signature is made of.
fn signed(digest: &Digest, expires: i64) -> Vec<u8> {
    format!("read artifact\n{digest}\n{expires}").into_bytes()
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn parts(link: &Secret) -> (i64, String) {
        let (_, query) = link.expose().split_once("?expires=").expect("a query");
        let (expires, signature) = query.split_once("&signature=").expect("a signature");
        (expires.parse().expect("a number"), signature.to_owned())
    }

    #[test]
    fn a_link_opens_its_artifact_until_it_ends_and_no_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let links = Links::open(directory.path()).expect("a key");
        let (one, other) = (identity::sha256(b"1"), identity::sha256(b"2"));
        let (expires, signature) = parts(&links.link(&one, second(1000)));
        let check = |digest, expires, signature: &str, now| {
            let checked = links.check(digest, (expires, signature), second(now));
            checked.err().map(|error| error.to_string())
        };
        assert_eq!(check(&one, expires, &signature, 999), None);
        let told = check(&one, expires, &signature, 1000).expect("refused");
        assert!(told.contains("its time is over"), "{told}");
        for (digest, expires) in [(&other, expires), (&one, expires + 1)] {
            let told = check(digest, expires, &signature, 0).expect("refused");
            assert!(told.contains("its signature is wrong"), "{told}");
        }
        for bad in ["", "é", &signature[1..], &"g".repeat(64), &"é".repeat(32)] {
            assert!(check(&one, expires, bad, 0).is_some(), "{bad}");
        }
    }

    #[test]
    fn links_are_good_after_a_restart_and_their_key_is_for_the_server_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().expect("a directory");
        let digest = identity::sha256(b"1");
        let first = Links::open(directory.path()).expect("a key");
        let (expires, signature) = parts(&first.link(&digest, second(1000)));
        let again = Links::open(directory.path()).expect("the key");
        assert!(again.check(&digest, (expires, &signature), second(0)).is_ok());
        let file = std::fs::metadata(directory.path().join(FILE)).expect("a file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().expect("a directory");
        let other = Links::open(elsewhere.path()).expect("another key");
        assert!(other.check(&digest, (expires, &signature), second(0)).is_err());
    }
}
