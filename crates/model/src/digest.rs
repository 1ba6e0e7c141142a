use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A SHA-256 content digest in the form of the OCI image specification: `sha256:` and 64 lower-case
/// hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

const PREFIX: &str = "sha256:";

impl Digest {
    /// The digest with these 32 bytes.
    pub fn from_sha256(bytes: &[u8; 32]) -> Self {
        use fmt::Write as _;

        let mut text = String::with_capacity(PREFIX.len() + 64);
        text.push_str(PREFIX);
        for byte in bytes {
            write!(text, "{byte:02x}").expect("writing to a String does not fail");
        }
        Self(text)
    }

    /// The whole text, with its `sha256:`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hex digits.
    pub fn hex(&self) -> &str {
        &self.0[PREFIX.len()..]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hex = text.strip_prefix(PREFIX).unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(lower_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new("digest", text, "expected sha256: and 64 lower-case hex digits"))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_the_text_that_reads_back() {
        let digest = Digest::from_sha256(&[0x0f; 32]);
        assert_eq!(digest.as_str(), format!("sha256:{}", "0f".repeat(32)));
        assert_eq!(digest.as_str().parse(), Ok(digest.clone()));
        assert_eq!(digest.hex().len(), 64);
    }

    #[test]
    fn other_algorithms_and_upper_case_are_refused() {
        for bad in ["", "sha256:", "sha512:00", &format!("sha256:{}", "AB".repeat(32))] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
