//! What goes wrong when these jars run together on this Flink: a pure function of what is in them. What Flink would
//! fail on is an error; what only may go wrong is a warning.

mod flink;
mod operators;
mod problem;
mod program;
mod scala;
mod twice;

use flumen_model::{ArtifactRole, FlinkVersion};

pub use problem::Problem;

use crate::{Artifact, Facts, ImageClasses};

/// Flink's own classes begin so.
const FLINK: &str = "org.apache.flink.";

/// A jar of the job.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The name of its file.
    pub name: &'a str,
    /// What it is for.
    pub role: ArtifactRole,
    /// What it is in a Maven repository, if that is where it comes from. Few of Flink's own jars say it themselves.
    pub maven: Option<&'a Artifact>,
    /// What is in it.
    pub facts: &'a Facts,
}

/// What the jars are to run on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The Flink version.
    pub flink: FlinkVersion,
    /// The Scala library that the image has.
    pub scala: &'a ImageScala,
    /// What lies in the `lib` of the image, if that is known.
    pub lib: Option<ImageLib<'a>>,
    /// What Flink runs.
    pub program: Program<'a>,
    /// Whether the job goes on with its state when it is changed.
    pub keeps_state: bool,
    /// The release of a connector for this Flink as `group:artifact:version`, if one is known.
    pub release_of: &'a dyn Fn(Connector<'_>) -> Option<String>,
}

/// The classes that an image has, beside those of a job.
#[derive(Debug, Clone, Copy)]
pub struct ImageLib<'a> {
    /// The classes.
    pub classes: &'a ImageClasses,
    /// How the names of those begin that are loaded before those of a job
    /// (`classloader.parent-first-patterns`); all do with nothing.
    pub parent_first: &'a [String],
}

/// What a connector is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connector<'a> {
    /// What it is in a Maven repository, for another Flink.
    Artifact(&'a Artifact),
    /// The identifier of its factory.
    Identifier(&'a str),
}

/// The Scala library of an image, which Flink loads before that of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageScala {
    /// It is not known whether there is one.
    Unknown,
    /// There is none.
    None,
    /// Its binary version, such as `2.12`.
    Of(String),
}

/// What Flink runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program<'a> {
    /// The main class of the first jar's manifest.
    Manifest,
    /// A class.
    Class(&'a str),
    /// A script in SQL.
    Script,
    /// Something that lies in the image and is not known.
    InImage,
}

/// What is wrong, and what is doubtful.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What Flink would fail on.
    pub errors: Vec<Problem>,
    /// What may go wrong.
    pub warnings: Vec<Problem>,
}

/// Looks at the jars of a job, the one with its program first.
pub fn check(parts: &[Part<'_>], target: &Target<'_>) -> Findings {
    let mut findings = Findings::default();
    program::check(parts, target, &mut findings);
    for part in parts {
        flink::check(part, target, &mut findings);
        scala::check(part, target, &mut findings);
    }
    twice::check(parts, target, &mut findings);
    operators::check(parts, target, &mut findings);
    findings
}
