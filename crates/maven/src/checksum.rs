use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
};

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

const BUFFER: usize = 64 * 1024;

/// What repositories say of their files, in the order in which it is asked for: nearly all have the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
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

/// What went through, by the first of the algorithms. Another one is rarely asked for, and costs a second reading then.
#[derive(Default)]
pub(crate) struct Hash(Sha1);

impl Hash {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest by an algorithm of all that went through, which `file` holds.
    pub(crate) fn hex(self, algorithm: Algorithm, file: &File) -> io::Result<String> {
        match algorithm {
            Algorithm::Sha1 => Ok(hex(&self.0.finalize())),
            Algorithm::Sha256 => read_again::<Sha256>(file),
            Algorithm::Sha512 => read_again::<Sha512>(file),
        }
    }
}

fn read_again<D: Digest>(mut file: &File) -> io::Result<String> {
    let mut hash = D::new();
    let mut buffer = vec![0; BUFFER];
    file.rewind()?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
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
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_known_digests_of_abc() {
        let of_abc = |algorithm| {
            let mut file = tempfile::tempfile().expect("a file");
            let mut hash = Hash::default();
            for part in [&b"a"[..], b"bc"] {
                file.write_all(part).expect("written");
                hash.update(part);
            }
            hash.hex(algorithm, &file).expect("read")
        };
        assert_eq!(of_abc(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(of_abc(Algorithm::Sha256).starts_with("ba7816bf8f01cfea"));
        assert!(of_abc(Algorithm::Sha512).starts_with("ddaf35a193617aba"));
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
