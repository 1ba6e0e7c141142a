use std::fmt;

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// What the place of a storage is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageKind {
    /// A directory.
    File,
    /// A bucket of S3.
    S3,
    /// A bucket of OSS.
    Oss,
    /// A directory of HDFS.
    Hdfs,
}

impl StorageKind {
    /// The scheme of its addresses.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::S3 => "s3",
            Self::Oss => "oss",
            Self::Hdfs => "hdfs",
        }
    }
}

/// Where in a storage everything lies: `s3://BUCKET/PREFIX`, `oss://BUCKET/PREFIX`, `hdfs://HOST:PORT/DIRECTORY` or
/// `file:///DIRECTORY`. Nothing secret is in it: it is written down and shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoragePlace {
    kind: StorageKind,
    authority: String,
    path: String,
}

const WHAT: &str = "place of a storage";

impl StoragePlace {
    /// What it is a place in.
    pub const fn kind(&self) -> StorageKind {
        self.kind
    }

    /// The bucket, or the host of HDFS; empty for a directory.
    pub fn bucket(&self) -> &str {
        &self.authority
    }

    /// Prefix or directory, without a slash at either end. Default: empty, the whole bucket.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for StoragePlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}", self.kind.scheme(), self.authority)?;
        if self.path.is_empty() { Ok(()) } else { write!(out, "/{}", self.path) }
    }
}

impl std::str::FromStr for StoragePlace {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (scheme, rest) = split(text);
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        // What may be secret is not repeated.
        let shown = match rest.rsplit_once('@') {
            Some((_, place)) => format!("{scheme}://…@{}", without_parameters(place)),
            None => without_parameters(text).to_owned(),
        };
        let refuse = |allowed: &str| InvalidValue::new(WHAT, &shown, allowed);
        let kind = match scheme {
            "file" => StorageKind::File,
            "s3" => StorageKind::S3,
            "oss" => StorageKind::Oss,
            "hdfs" => StorageKind::Hdfs,
            "s3a" | "s3p" | "s3n" => {
                return Err(refuse("write s3://, and choose Flink's plugin with `plugin`"));
            }
            _ => {
                return Err(refuse(
                    "expected s3://BUCKET/PREFIX, oss://BUCKET/PREFIX, hdfs://HOST:PORT/DIRECTORY or file:///DIRECTORY",
                ));
            }
        };
        if rest.contains('@') {
            return Err(refuse(
                "an address is no place for keys or passwords; leave them out, and name the Secret that has them under `credentials`",
            ));
        }
        if rest.contains(['?', '#']) {
            return Err(refuse(
                "it ends with the path; endpoint, region and credentials have fields of their own",
            ));
        }
        let path = path.trim_end_matches('/');
        authority_fault(kind, authority).map_or(Ok(()), |fault| Err(refuse(fault)))?;
        path_fault(kind, path).map_or(Ok(()), |fault| Err(refuse(fault)))?;
        Ok(Self { kind, authority: authority.to_owned(), path: path.to_owned() })
    }
}

/// The scheme and what follows it; a path is a file, however many slashes `file:` has.
fn split(text: &str) -> (&str, &str) {
    if text.starts_with('/') {
        return ("file", text);
    }
    match text.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => match text.strip_prefix("file:") {
            Some(rest) => ("file", rest),
            None => ("", text),
        },
    }
}

fn without_parameters(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

fn authority_fault(kind: StorageKind, authority: &str) -> Option<&'static str> {
    let is_word = |allowed: &[u8]| {
        let inner = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || allowed.contains(&byte)
        };
        authority.bytes().all(inner)
            && authority.starts_with(|one: char| one.is_ascii_alphanumeric())
            && authority.ends_with(|one: char| one.is_ascii_alphanumeric())
    };
    match kind {
        StorageKind::File if !authority.is_empty() => {
            Some("a directory has no host: write file:/// and the absolute path")
        }
        StorageKind::File => None,
        StorageKind::S3 | StorageKind::Oss => {
            let fits = (3..=63).contains(&authority.len()) && is_word(b"-.");
            (!fits).then_some(
                "a bucket has 3 to 63 lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit",
            )
        }
        // Without a host Hadoop's configuration names it.
        StorageKind::Hdfs if authority.is_empty() => None,
        StorageKind::Hdfs => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            let is_host = !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
            (!(is_host && is_port)).then_some(
                "a name node is HOST or HOST:PORT, and a name service one word; letters, digits, '-', '.' and '_'",
            )
        }
    }
}

fn path_fault(kind: StorageKind, path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return (kind == StorageKind::File).then_some("the root directory is no storage");
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Some("there is nothing between two slashes");
        }
        if part == "." || part == ".." {
            return Some("no part of the path is . or ..: it names its place as it stands");
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+~".contains(&byte);
        if !part.bytes().all(is_plain) {
            return Some("its path has letters, digits and - _ . = + ~ between slashes");
        }
    }
    None
}

impl TryFrom<String> for StoragePlace {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<StoragePlace> for String {
    fn from(place: StoragePlace) -> Self {
        place.to_string()
    }
}
