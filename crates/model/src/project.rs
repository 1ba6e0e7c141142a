//! A project as a user writes it: sources in a git repository, and what makes a jar of them.

mod repository;

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{ByteSize, EnvironmentName, InvalidValue, ObjectName, ProjectName};

pub use repository::{Repository, RepositoryAccess};

/// What a project file says. [`ProjectSpec::check`] says what of it cannot be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectSpec {
    /// Unique in Flumen.
    pub name: ProjectName,
    /// Where it is built: in a pod of this environment's namespace.
    pub environment: EnvironmentName,
    /// Where the sources are.
    pub repository: Repository,
    /// Which of them: a branch, a tag or the whole id of a commit. Default: what the repository's `HEAD` is.
    #[serde(rename = "ref", default)]
    pub reference: GitReference,
    /// The directory in the repository that is built. Default: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathInside>,
    /// What builds it.
    pub builder: Builder,
    /// Goals, tasks and options of the builder. Default: [`Builder::goals`].
    #[serde(default, alias = "tasks", skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<String>,
    /// An image with git, a JDK and the builder. Default: on the local cluster the tools of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// A pattern below the directory that one jar has. Default: [`Builder::artifact`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<PathInside>,
    /// What the build may take.
    #[serde(default)]
    pub resources: BuildResources,
    /// How long it may take, the wait for a place to run included. Default: 30 min.
    #[serde(
        default = "ProjectSpec::standard_timeout",
        serialize_with = "jiff::fmt::serde::duration::friendly::compact::required"
    )]
    pub timeout: SignedDuration,
    /// The Secret in the environment's namespace by which the repository is read. Default: anybody may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ObjectName>,
    /// Settings of the builder. Default: those of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<BuildSettings>,
    /// Where the builder keeps what it fetched. Default: nowhere, each build fetches it anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<BuildCache>,
}

impl ProjectSpec {
    /// How long a build may take of a project that does not say it.
    pub const fn standard_timeout() -> SignedDuration {
        SignedDuration::from_mins(30)
    }

    /// What the builder is told.
    pub fn goals(&self) -> Vec<String> {
        if self.goals.is_empty() {
            return self.builder.goals().iter().map(|&goal| goal.to_owned()).collect();
        }
        self.goals.clone()
    }

    /// The pattern of the jar.
    pub fn artifact(&self) -> &str {
        self.artifact.as_ref().map_or_else(|| self.builder.artifact(), PathInside::as_str)
    }

    /// Says what cannot be though each value is one.
    ///
    /// # Errors
    /// [`InvalidValue`] with the key.
    pub fn check(&self) -> Result<(), InvalidValue> {
        let cpu = self.resources.cpu;
        if !cpu.is_finite() || cpu <= 0.0 {
            let allowed = "a number of cores greater than 0, such as 1 or 0.5";
            return Err(InvalidValue::new("resources.cpu", cpu.to_string(), allowed));
        }
        if self.resources.memory < BuildResources::LEAST {
            let allowed = format!("a build needs at least {}", BuildResources::LEAST);
            let memory = self.resources.memory.to_string();
            return Err(InvalidValue::new("resources.memory", memory, allowed));
        }
        if self.timeout < SignedDuration::from_secs(1) {
            let allowed = "a time of at least 1 s, such as 10 min";
            return Err(InvalidValue::new("timeout", format!("{:#}", self.timeout), allowed));
        }
        if let Some(goal) = self.goals.iter().find(|goal| goal.contains('\0') || goal.is_empty()) {
            return Err(InvalidValue::new("goals", goal, "a goal, a task or an option"));
        }
        if let Some(image) = self.image.as_deref()
            && (image.is_empty() || image.contains(|one: char| one.is_whitespace()))
        {
            return Err(InvalidValue::new("image", image, "the name of an image"));
        }
        match (self.repository.access(), &self.credentials) {
            (RepositoryAccess::Ssh, None) => {
                let allowed = "a repository by ssh needs credentials: the name of a Secret with ssh-privatekey and known_hosts";
                Err(InvalidValue::new("repository", self.repository.as_str(), allowed))
            }
            (RepositoryAccess::Http, Some(secret)) => {
                let allowed =
                    "they would go over the network in clear; name the repository by https://";
                Err(InvalidValue::new("credentials", secret.as_str(), allowed))
            }
            _ => Ok(()),
        }
    }
}

/// What builds a project; it is part of the image, no wrapper is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builder {
    /// `mvn`.
    Maven,
    /// `gradle`.
    Gradle,
}

impl Builder {
    /// What it is told by a project that does not say it.
    pub const fn goals(self) -> &'static [&'static str] {
        match self {
            Self::Maven => &["package", "-DskipTests"],
            Self::Gradle => &["build", "-x", "test"],
        }
    }

    /// Where it puts the jar.
    pub const fn artifact(self) -> &'static str {
        match self {
            Self::Maven => "target/*.jar",
            Self::Gradle => "build/libs/*.jar",
        }
    }

    /// The word of a project file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maven => "maven",
            Self::Gradle => "gradle",
        }
    }
}

/// What a build may take: asked of Kubernetes, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BuildResources {
    /// Cores. Default: 1.
    pub cpu: f64,
    /// Memory. Default: 2 GiB.
    pub memory: ByteSize,
}

impl BuildResources {
    /// No Java compiler gets along with less.
    pub const LEAST: ByteSize = ByteSize::from_mebibytes(256);
}

impl Default for BuildResources {
    fn default() -> Self {
        Self { cpu: 1.0, memory: ByteSize::from_mebibytes(2048) }
    }
}

/// Where settings of the builder come from: `settings.xml` (and `settings-security.xml`) of Maven, `init.gradle`,
/// `init.gradle.kts` or `gradle.properties` of Gradle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BuildSettings {
    /// A Secret in the environment's namespace.
    Secret(ObjectName),
    /// A `ConfigMap` in the environment's namespace.
    ConfigMap(ObjectName),
}

/// Where the builder keeps what it fetched, from one build to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BuildCache {
    /// A `PersistentVolumeClaim` in the environment's namespace.
    Claim(ObjectName),
    /// A directory of the node.
    HostPath(HostDirectory),
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// As it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                $check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

checked_text! {
    /// A branch, a tag, the whole id of a commit, `HEAD`, or a name that begins with `refs/`.
    GitReference, check_reference
}
checked_text! {
    /// A path or pattern below a directory, which leads nowhere else.
    PathInside, check_path
}
checked_text! {
    /// A directory of a node, by its whole path.
    HostDirectory, check_host_directory
}

impl Default for GitReference {
    fn default() -> Self {
        Self("HEAD".to_owned())
    }
}

/// As `git check-ref-format`, and nothing that could be taken for an option.
fn check_reference(text: &str) -> Result<(), InvalidValue> {
    let is_wrong =
        |one: char| one.is_whitespace() || one.is_control() || "~^:?*[\\\"'".contains(one);
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "git compares it so")]
    let is_wrong_part = |part: &str| {
        part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock")
    };
    let fits = text.len() <= 250
        && !text.starts_with('-')
        && !text.contains(is_wrong)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.split('/').any(is_wrong_part);
    let allowed = "expected a branch, a tag, or the whole id of a commit";
    fits.then_some(()).ok_or_else(|| InvalidValue::new("ref", text, allowed))
}

fn check_path(text: &str) -> Result<(), InvalidValue> {
    let is_step = |part: &str| matches!(part, "" | "." | "..");
    let fits = text.len() <= 1000
        && !text.starts_with('-')
        && !text.contains(|one: char| one.is_control() || one == '\\')
        && !text.split('/').any(is_step);
    let allowed = "a path inside the repository, without a slash at its ends, . or ..";
    fits.then_some(()).ok_or_else(|| InvalidValue::new("path", text, allowed))
}

fn check_host_directory(text: &str) -> Result<(), InvalidValue> {
    let is_step = |part: &str| matches!(part, "" | "." | "..");
    let parts = text.strip_prefix('/');
    let fits = parts.is_some_and(|parts| !parts.split('/').any(is_step))
        && !text.contains(char::is_control);
    let allowed = "the whole path of a directory of the node, without a slash at its end, . or ..";
    fits.then_some(()).ok_or_else(|| InvalidValue::new("hostPath", text, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(more: &str) -> Result<ProjectSpec, String> {
        let text = format!(
            r#"{{"name":"orders","environment":"local","repository":"https://git.example/orders.git","builder":"maven"{more}}}"#
        );
        let spec: ProjectSpec = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        spec.check().map(|()| spec).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_project_does_not_say_is_what_most_want() {
        let spec = spec("").expect("valid");
        assert_eq!(spec.goals(), ["package", "-DskipTests"]);
        assert_eq!((spec.artifact(), spec.reference.as_str()), ("target/*.jar", "HEAD"));
        assert_eq!(spec.timeout, SignedDuration::from_mins(30));
        let text = serde_json::to_string(&spec).expect("JSON");
        assert_eq!(serde_json::from_str::<ProjectSpec>(&text).expect("reads back"), spec);
        assert!(text.contains(r#""timeout":"30m""#), "{text}");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        for (more, words) in [
            (r#","resources":{"cpu":0}"#, "resources.cpu"),
            (r#","resources":{"memory":"1m"}"#, "at least 256 mb"),
            (r#","timeout":"-5m""#, "timeout"),
            (r#","goals":[""]"#, "goals"),
            (r#","image":"a b""#, "image"),
            (r#","directory":"../other""#, "inside the repository"),
            (r#","artifact":"/etc/x.jar""#, "inside the repository"),
            (r#","ref":"--upload-pack=x""#, "a branch, a tag"),
            (r#","cache":{"hostPath":"relative"}"#, "the whole path"),
            (r#","password":"x""#, "unknown field"),
        ] {
            let error = spec(more).expect_err(more);
            assert!(error.contains(words), "{more}: {error}");
        }
    }

    #[test]
    fn credentials_do_not_go_in_clear_and_ssh_has_some() {
        let of = |repository: &str, more: &str| {
            let text = format!(
                r#"{{"name":"a","environment":"local","repository":"{repository}","builder":"gradle"{more}}}"#
            );
            let spec: ProjectSpec = serde_json::from_str(&text).expect("each value is one");
            spec.check().map_err(|error| error.to_string())
        };
        let secret = r#","credentials":"git""#;
        assert!(of("http://h/x.git", secret).expect_err("in clear").contains("https://"));
        assert!(of("git@h:x.git", "").expect_err("no key").contains("known_hosts"));
        assert_eq!(of("git@h:x.git", secret), Ok(()));
        assert_eq!(of("http://h/x.git", ""), Ok(()));
    }

    #[test]
    fn names_of_branches_and_tags_are_what_git_takes() {
        for good in ["main", "release/1.4", "v1.4.0", "refs/tags/v1", "feature-#7", "HEAD"] {
            assert!(good.parse::<GitReference>().is_ok(), "{good}");
        }
        for bad in
            ["", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a/", "/a", "a.lock", "@{u}", "a//b"]
        {
            assert!(bad.parse::<GitReference>().is_err(), "{bad}");
        }
    }
}
