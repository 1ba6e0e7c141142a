use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// What repositories say of their files, in the order in which it is asked for: nearly all have the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The ending of the file that has it.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// The checksum in a file, which may name the file beside it, before it or behind it.
    pub(crate) fn parse(self, text: &str) -> Option<String> {
        let is_digest = |word: &&str| {
            word.len() == self.digits() && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        text.split_whitespace().find(is_digest).map(str::to_ascii_lowercase)
    }
}

/// All three of what went through.
#[derive(Default)]
pub(crate) struct Hashes {
    sha1: Sha1,
    sha256: Sha256,
    sha512: Sha512,
}

impl Hashes {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.sha512.update(bytes);
    }

    pub(crate) fn hex(&self, algorithm: Algorithm) -> String {
        match algorithm {
            Algorithm::Sha1 => hex(&self.sha1.clone().finalize()),
            Algorithm::Sha256 => hex(&self.sha256.clone().finalize()),
            Algorithm::Sha512 => hex(&self.sha512.clone().finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_digests_of_abc() {
        let mut hashes = Hashes::default();
        hashes.update(b"a");
        hashes.update(b"bc");
        assert_eq!(hashes.hex(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(hashes.hex(Algorithm::Sha256).starts_with("ba7816bf8f01cfea"));
        assert!(hashes.hex(Algorithm::Sha512).starts_with("ddaf35a193617aba"));
    }

    #[test]
    fn a_checksum_may_have_the_name_of_the_file_beside_it() {
        let digest = "A9993E364706816ABA3E25717850C26C9CD0D89D";
        for text in
            [digest.to_owned(), format!("{digest}  a.jar\n"), format!("SHA1(a.jar)= {digest}")]
        {
            assert_eq!(Algorithm::Sha1.parse(&text), Some(digest.to_lowercase()));
        }
        assert_eq!(Algorithm::Sha1.parse("<html>404</html>"), None);
    }
}
