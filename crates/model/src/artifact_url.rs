use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Digest, InvalidValue, ProjectName};

/// Where the server fetches a file of a job from: `https://HOST/PATH/FILE`, `http://…`, `oci://REGISTRY/REPOSITORY` with
/// `:TAG` or `@DIGEST`, `s3://BUCKET/PATH/FILE` by the access to the storage of the job's environment, or `project://NAME` for the jar of a project's newest good build. It may end in `#sha256=` and the 64 hex digits that its content must have. Nothing secret
/// is in it: it is written down and shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactUrl {
    text: String,
    name: String,
    digest: Option<Digest>,
}

const OCI: &str = "oci";
const S3: &str = "s3";
const PROJECT: &str = "project";
const SCHEMES: [&str; 5] = ["https", "http", OCI, S3, PROJECT];
const PINNED: &str = "sha256=";
/// What the names of parameters end with whose values let in whoever has them.
const SECRETS: [&str; 10] = [
    "api-key",
    "apikey",
    "auth",
    "credential",
    "passwd",
    "password",
    "secret",
    "sig",
    "signature",
    "token",
];

impl ArtifactUrl {
    /// Whether a text is an address and no path; it need not be a valid one. What lies in the image is none.
    pub fn is_meant(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| {
            !scheme.is_empty()
                && scheme != "local"
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// The address without the digest behind it.
    pub fn address(&self) -> &str {
        self.text.split('#').next().unwrap_or_default()
    }

    /// The name of the file: the last part of the path; of what a registry or a project has, its own, as a jar.
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// The digest that the content must have, if one is given.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The name of an artifact in a registry, if it is one.
    pub fn in_registry(&self) -> Option<&str> {
        self.address().strip_prefix(OCI)?.strip_prefix("://")
    }

    /// The bucket and the key in it, if it lies in one.
    pub fn in_bucket(&self) -> Option<(&str, &str)> {
        self.address().strip_prefix(S3)?.strip_prefix("://")?.split_once('/')
    }

    /// The project whose jar it is, if it is one's.
    pub fn in_project(&self) -> Option<&str> {
        self.address().strip_prefix(PROJECT)?.strip_prefix("://")
    }

    /// The address without its parameters, for messages.
    pub fn shown(&self) -> &str {
        self.address().split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for ArtifactUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::str::FromStr for ArtifactUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, place) = rest.split_at(end);
        let (place, pinned) = match place.split_once('#') {
            Some((place, pinned)) => (place, Some(pinned)),
            None => (place, None),
        };
        let (path, parameters) = place.split_once('?').unwrap_or((place, ""));
        // What may be secret is not repeated.
        let shown = match host.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://…@{host}{path}"),
            None => format!("{scheme}://{host}{path}"),
        };
        let refuse = |allowed: &str| InvalidValue::new("URL of an artifact", &shown, allowed);
        if !SCHEMES.contains(&scheme) || host.is_empty() {
            return Err(refuse(
                "expected https://, http://, oci://, s3:// or project:// and a host, bucket or project",
            ));
        }
        if scheme == S3 && (host.contains('@') || !parameters.is_empty()) {
            return Err(refuse(
                "it is the bucket and the path in it; its keys are those of the storage of the job's environment",
            ));
        }
        if scheme == PROJECT && (!place.is_empty() || host.parse::<ProjectName>().is_err()) {
            return Err(refuse("what follows project:// is the name of a project"));
        }
        if host.contains('@') {
            return Err(refuse(
                "a job file is no place for user and password; leave them out, and put them into the settings of Maven on \
                 the server's machine, for a repository whose address this one begins with",
            ));
        }
        if parameters.split('&').any(is_secret) {
            return Err(refuse(
                "a parameter of it lets in whoever has it, and a job file is no place for that; download the file and name \
                 it by path, or put credentials into the settings of Maven on the server's machine",
            ));
        }
        if text.contains(|one: char| one.is_whitespace() || one.is_control()) {
            return Err(refuse("blanks in it are written as %20"));
        }
        let is_step = |part: &str| matches!(part, "" | "." | "..");
        if scheme == S3 && path.strip_prefix('/').unwrap_or_default().split('/').any(is_step) {
            return Err(refuse("no part of the path is empty, . or .."));
        }
        let digest = pinned.map(|pinned| {
            digest(pinned)
                .ok_or_else(|| refuse("what follows # is sha256= and 64 lower-case hex digits"))
        });
        let digest = digest.transpose()?;
        let last = path.rsplit('/').next().unwrap_or_default();
        let name = match scheme {
            OCI => in_registry(last),
            PROJECT => format!("{host}.jar"),
            _ => last.to_owned(),
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_plain) {
            return Err(refuse(
                "its path ends with the name that the file gets: letters, digits and - _ . + ~",
            ));
        }
        Ok(Self { text: text.to_owned(), name, digest })
    }
}

/// The name of a file of a registry: it follows from the URL alone, as all else that tells whether a job changed.
fn in_registry(last: &str) -> String {
    match last.split([':', '@']).next() {
        None | Some("") => String::new(),
        Some(repository) => format!("{repository}.jar"),
    }
}

fn digest(pinned: &str) -> Option<Digest> {
    format!("sha256:{}", pinned.strip_prefix(PINNED)?).parse().ok()
}

fn is_secret(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let name = format!("-{}", name.replace('_', "-"));
    SECRETS.iter().any(|secret| name.ends_with(&format!("-{secret}")))
}

impl TryFrom<String> for ArtifactUrl {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<ArtifactUrl> for String {
    fn from(url: ArtifactUrl) -> Self {
        url.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ArtifactUrl {
        text.parse().expect(text)
    }

    #[test]
    fn the_file_is_named_by_the_end_of_the_path() {
        let hex = "0f".repeat(32);
        let pinned = url(&format!("https://files.example:8443/a/b-1.0.jar?v=2#sha256={hex}"));
        assert_eq!(pinned.file_name(), "b-1.0.jar");
        assert_eq!(pinned.digest().map(Digest::hex), Some(hex.as_str()));
        assert_eq!(pinned.address(), "https://files.example:8443/a/b-1.0.jar?v=2");
        assert_eq!(pinned.shown(), "https://files.example:8443/a/b-1.0.jar");
        assert_eq!(url("http://h/x.sql").digest(), None);
        let job = url("oci://registry.example/team/orders:1.4");
        assert_eq!(job.in_registry(), Some("registry.example/team/orders:1.4"));
        assert_eq!(job.file_name(), "orders.jar");
        let stored = url(&format!("s3://jars/team/orders-1.4.jar#sha256={hex}"));
        assert_eq!(stored.in_bucket(), Some(("jars", "team/orders-1.4.jar")));
        assert_eq!((stored.file_name(), stored.in_registry()), ("orders-1.4.jar", None));
        let built = url(&format!("project://orders#sha256={hex}"));
        assert_eq!((built.in_project(), built.file_name()), (Some("orders"), "orders.jar"));
        assert_eq!(built.digest().map(Digest::hex), Some(hex.as_str()));
    }

    #[test]
    fn what_is_secret_is_refused_and_not_repeated() {
        for text in [
            "https://me:hunter2@files.example/a.jar",
            "https://hunter2@files.example/a.jar",
            "https://files.example/a.jar?v=1&token=hunter2",
            "https://files.example/a.jar?X-Amz-Signature=hunter2",
            "https://files.example/a.jar?sig=hunter2#sha256=00",
            "ftp://me:hunter2@files.example/a.jar",
            "s3://AKIA:hunter2@files.example/a.jar",
            "s3://files.example/a.jar?X-Amz-Signature=hunter2",
        ] {
            let error = text.parse::<ArtifactUrl>().expect_err(text).to_string();
            assert!(!error.contains("hunter2") && error.contains("files.example"), "{error}");
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for text in [
            "gs://bucket/a.jar",
            "s3://bucket",
            "s3://bucket/",
            "s3://bucket/a/../b.jar",
            "s3://bucket//b.jar",
            "https:///a.jar",
            "https://h",
            "https://h/",
            "https://h/.jar",
            "https://h/a%2Fb.jar",
            "https://h/a b.jar",
            "https://h/a.jar#sha256=00",
            "https://h/a.jar#v1",
            "oci://registry.example",
            "project://",
            "project://Orders",
            "project://orders/a.jar",
        ] {
            assert!(ArtifactUrl::is_meant(text) && text.parse::<ArtifactUrl>().is_err(), "{text}");
        }
        for path in ["a.jar", "lib/a.jar", "local:///opt/flink/a.jar", "a:b.jar", "/a/b.jar"] {
            assert!(!ArtifactUrl::is_meant(path), "{path}");
        }
    }
}
