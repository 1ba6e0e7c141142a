use std::{fmt, net::IpAddr, str::FromStr};

use flumen_model::{Digest, InvalidValue};

/// The name of an image: `registry/repository[:tag][@digest]`.
///
/// Without a registry it is Docker Hub (`docker.io`), without tag and digest it is the tag `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

const DOCKER_HUB: &str = "docker.io";

impl Reference {
    /// The repository `repository` of `registry`, neither with tag nor with digest.
    ///
    /// # Errors
    /// `Invalid` if one of the two is not well formed.
    pub fn new(registry: &str, repository: &str) -> Result<Self, InvalidValue> {
        let text = format!("{registry}/{repository}");
        check_registry(registry).map_err(|allowed| invalid(&text, allowed))?;
        check_repository(repository).map_err(|allowed| invalid(&text, allowed))?;
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: None,
            digest: None,
        })
    }

    /// Host and port of the registry, `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Whether the registry is on this machine.
    pub fn is_of_loopback(&self) -> bool {
        is_loopback(&self.registry)
    }

    /// The repository, `library/flink` for Docker Hub's `flink`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What names the manifest within the repository: the digest, else the tag, else `latest`.
    pub fn manifest_name(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// The same repository with this tag and no digest.
    ///
    /// # Errors
    /// `Invalid` if it is no tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidValue> {
        check_tag(tag).map_err(|allowed| invalid(&format!("{self}:{tag}"), allowed))?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same repository with this digest and no tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    pub(crate) fn without_digest(&self) -> Self {
        Self { digest: None, ..self.clone() }
    }

    /// Host and port that requests go to, which Docker Hub has apart from its name.
    pub(crate) fn api_host(registry: &str) -> &str {
        if registry == DOCKER_HUB { "registry-1.docker.io" } else { registry }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(out, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether a host, with or without a port, is this machine.
pub(crate) fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for Reference {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = split_registry(name);
        check_registry(registry).map_err(|allowed| invalid(text, allowed))?;
        check_repository(&repository).map_err(|allowed| invalid(text, allowed))?;
        if let Some(tag) = tag {
            check_tag(tag).map_err(|allowed| invalid(text, allowed))?;
        }
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }
}

fn invalid(text: &str, allowed: &str) -> InvalidValue {
    InvalidValue::new("image reference", text, allowed)
}

fn split_registry(name: &str) -> (&str, String) {
    match name.split_once('/') {
        Some(("docker.io" | "index.docker.io", rest)) => (DOCKER_HUB, in_library(rest)),
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (first, rest.to_owned())
        }
        _ => (DOCKER_HUB, in_library(name)),
    }
}

fn in_library(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("library/{name}") }
}

fn check_registry(registry: &str) -> Result<(), &'static str> {
    const ALLOWED: &str = "the registry must be a host name or address, with or without a port";
    let (host, port) = match registry.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(ALLOWED)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| ALLOWED)?;
            ("v6", port.strip_prefix(':'))
        }
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        },
    };
    let host_is_fine = host.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    });
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host_is_fine && port_is_fine { Ok(()) } else { Err(ALLOWED) }
}

fn check_repository(repository: &str) -> Result<(), &'static str> {
    if repository.len() > 255 {
        return Err("the repository must have at most 255 characters");
    }
    if repository.split('/').all(is_path_component) {
        Ok(())
    } else {
        Err(
            "the repository must be lower-case letters, digits and the separators . _ __ - within parts divided by /",
        )
    }
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_path_component(component: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_separator =
        |run: &str| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    let bytes = component.as_bytes();
    bytes.first().copied().is_some_and(is_plain)
        && bytes.last().copied().is_some_and(is_plain)
        && component.is_ascii()
        && component
            .split(|c: char| is_plain(c as u8))
            .all(|run| run.is_empty() || is_separator(run))
}

fn check_tag(tag: &str) -> Result<(), &'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fine = (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    if fine {
        Ok(())
    } else {
        Err("the tag must be 1 to 128 letters, digits, _ . or -, not starting with . or -")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn short_names_mean_docker_hub_and_others_keep_their_registry() {
        for (text, full, manifest) in [
            ("flink", "docker.io/library/flink", "latest"),
            ("flink:1.20.5", "docker.io/library/flink:1.20.5", "1.20.5"),
            ("apache/flink:2.3.0", "docker.io/apache/flink:2.3.0", "2.3.0"),
            ("index.docker.io/flink", "docker.io/library/flink", "latest"),
            ("localhost/flink", "localhost/flink", "latest"),
            ("127.0.0.1:5000/team/job:v1", "127.0.0.1:5000/team/job:v1", "v1"),
            ("[::1]:5000/job", "[::1]:5000/job", "latest"),
            ("ghcr.io/a/b__c/d--e.f:T_1.x-y", "ghcr.io/a/b__c/d--e.f:T_1.x-y", "T_1.x-y"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(
                (reference.to_string().as_str(), reference.manifest_name()),
                (full, manifest)
            );
            assert_eq!(full.parse::<Reference>().as_ref(), Ok(&reference), "reads back");
        }
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let reference: Reference = format!("r.example/job:v1@{DIGEST}").parse().unwrap();
        assert_eq!(reference.manifest_name(), DIGEST);
        assert_eq!(reference.tag(), Some("v1"));
        assert_eq!(reference.with_tag("v2").unwrap().to_string(), "r.example/job:v2");
    }

    #[test]
    fn what_a_registry_would_refuse_is_refused_here() {
        for bad in [
            "",
            "/",
            "a/",
            "Flink",
            "a//b",
            "a/-b",
            "a/b-",
            "a___b",
            "a._b",
            "r.example/a:",
            "r.example/a:.x",
            "r.example:99999/a",
            "r.example:0/a",
            "r..example/a",
            "a@sha256:12",
            "a b",
            "http://r.example/a",
            "é",
        ] {
            let error = bad.parse::<Reference>().expect_err(bad);
            assert!(error.to_string().contains("not valid"), "{error}");
        }
    }
}
