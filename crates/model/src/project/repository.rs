use std::fmt;

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// Where a git repository is: `https://HOST/PATH`, `ssh://USER@HOST/PATH`, `USER@HOST:PATH`, or `http://HOST/PATH` for
/// one that anybody may read. Nothing secret is in it: it is written down and shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository {
    text: String,
    access: RepositoryAccess,
}

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryAccess {
    /// By `http://`, without credentials.
    Http,
    /// By `https://`.
    Https,
    /// By ssh, with a key.
    Ssh,
}

impl Repository {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is reached.
    pub const fn access(&self) -> RepositoryAccess {
        self.access
    }

    /// Scheme, host and port, which is as far as credentials go; none of one by ssh.
    pub fn origin(&self) -> Option<&str> {
        let (scheme, rest) =
            self.text.split_once("://").filter(|_| self.access != RepositoryAccess::Ssh)?;
        let host = rest.split('/').next().unwrap_or_default();
        Some(&self.text[..scheme.len() + 3 + host.len()])
    }
}

const FORMS: &str = "expected https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH";
const NO_CREDENTIALS: &str = "a project file is no place for user and password; leave them out, and name a Secret under credentials";

impl std::str::FromStr for Repository {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (access, authority, path) = match text.split_once("://") {
            Some((scheme, rest)) => {
                let access = match scheme {
                    "https" => RepositoryAccess::Https,
                    "http" => RepositoryAccess::Http,
                    "ssh" => RepositoryAccess::Ssh,
                    _ => return Err(InvalidValue::new("repository", shown(text), FORMS)),
                };
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                (access, authority, path)
            }
            None => {
                let (authority, path) = text.split_once(':').unwrap_or((text, ""));
                if path.contains('@') && !authority.contains('@') {
                    return Err(InvalidValue::new("repository", shown(text), NO_CREDENTIALS));
                }
                (RepositoryAccess::Ssh, authority, path)
            }
        };
        let refuse = |allowed: &str| InvalidValue::new("repository", shown(text), allowed);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let is_by_web = access != RepositoryAccess::Ssh;
        if user.is_some_and(|user| is_by_web || user.contains(':')) {
            return Err(refuse(NO_CREDENTIALS));
        }
        let is_plain = |text: &str, more: &str| {
            !text.is_empty()
                && !text.starts_with('-')
                && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
        };
        if !is_plain(host, "-._:[]") || user.is_some_and(|user| !is_plain(user, "-._")) {
            return Err(refuse(FORMS));
        }
        let is_wrong =
            |one: char| one.is_whitespace() || one.is_control() || "?#\\\"'".contains(one);
        if path.is_empty() || path.starts_with('-') || path.contains(is_wrong) {
            return Err(refuse(FORMS));
        }
        Ok(Self { text: text.to_owned(), access })
    }
}

/// The text without what may be secret in it.
fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((user, rest))) if user.contains(':') => format!("…@{rest}"),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl TryFrom<String> for Repository {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_git_are_told_apart() {
        for (text, access, origin) in [
            (
                "https://git.example/team/a.git",
                RepositoryAccess::Https,
                Some("https://git.example"),
            ),
            (
                "https://git.example:8443/a",
                RepositoryAccess::Https,
                Some("https://git.example:8443"),
            ),
            ("http://mirror/a.git", RepositoryAccess::Http, Some("http://mirror")),
            ("ssh://git@git.example:22/team/a.git", RepositoryAccess::Ssh, None),
            ("git@git.example:team/a.git", RepositoryAccess::Ssh, None),
            ("git.example:a.git", RepositoryAccess::Ssh, None),
        ] {
            let repository: Repository = text.parse().expect(text);
            assert_eq!((repository.access(), repository.origin()), (access, origin), "{text}");
        }
    }

    #[test]
    fn what_is_secret_is_refused_and_not_repeated() {
        for text in [
            "https://me:hunter2@git.example/a.git",
            "https://hunter2@git.example/a.git",
            "ssh://me:hunter2@git.example/a.git",
            "ftp://me:hunter2@git.example/a.git",
            "me:hunter2@git.example:a.git",
            "https://git.example/a.git?token=hunter2",
        ] {
            let error = text.parse::<Repository>().expect_err(text).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_is_no_repository_or_could_be_an_option_is_refused() {
        for text in [
            "",
            "/srv/a.git",
            "file:///srv/a.git",
            "ext::sh -c x",
            "https://git.example",
            "https:///a.git",
            "-oProxyCommand=x:a",
            "ssh://-oProxyCommand=x/a",
            "git@host:-x",
            "git@host:a b",
        ] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
    }
}
