use std::fmt;

use flumen_model::{ArtifactRole, FlinkMinor, FlinkVersion};

/// What is wrong or doubtful about the jars of a job, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing says which class to run.
    NoMainClass {
        /// The jar.
        jar: String,
        /// Classes that could be run.
        offered: Vec<String>,
    },
    /// The class to run is in none of the jars.
    MainClassMissing {
        /// The class.
        class: String,
        /// Whether the job names it, and not the manifest.
        is_named: bool,
        /// The jars.
        jars: Vec<String>,
        /// Classes that may be meant.
        offered: Vec<String>,
    },
    /// The class to run has no main method, nor have those above it.
    NoMainMethod {
        /// The class.
        class: String,
        /// Classes that may be meant.
        offered: Vec<String>,
    },
    /// Something was built for another Flink minor.
    OtherMinor {
        /// The jar.
        jar: String,
        /// What says so.
        sources: Vec<String>,
        /// That minor.
        built_for: FlinkMinor,
        /// The version of the job.
        flink: FlinkVersion,
        /// The artifact to take instead, if one is known.
        remedy: Option<String>,
    },
    /// Something was built for another Scala.
    OtherScala {
        /// The jar.
        jar: String,
        /// What says so.
        source: String,
        /// That Scala.
        built_for: String,
        /// The Scala of the image.
        scala: String,
        /// The artifact to take instead, without its version.
        remedy: Option<String>,
    },
    /// A jar holds what the image has.
    BundledFlink {
        /// The jar.
        jar: String,
        /// What it is for.
        role: ArtifactRole,
        /// The artifacts of Flink.
        artifacts: Vec<String>,
    },
    /// Two factories have one identifier.
    TwoFactories {
        /// The identifier.
        identifier: String,
        /// Whether Flink looks both up for catalogs, and for nothing else.
        of_catalog: bool,
        /// A class and its jar.
        one: (String, String),
        /// Another class and its jar.
        other: (String, String),
    },
    /// Classes are in two jars with different bytes.
    ClassesTwice {
        /// The jars.
        jars: (String, String),
        /// How many.
        count: usize,
        /// The first of them.
        named: Vec<String>,
    },
    /// Classes are in a jar and in the image with different bytes, and the image's are or may be taken.
    ClassesInImage {
        /// The jar.
        jar: String,
        /// What it is for.
        role: ArtifactRole,
        /// How many.
        count: usize,
        /// The first of them.
        named: Vec<String>,
    },
    /// No operator of a program is told who it is.
    NoUid {
        /// The class to run.
        class: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMainClass { jar, offered } => write!(
                out,
                "{jar} names no main class in its manifest, and neither does the job: {}",
                meant(offered)
            ),
            Self::MainClassMissing { class, is_named, jars, offered } => write!(
                out,
                "the main class {class}{} is in none of the job's jars ({}): {}",
                if *is_named { "" } else { ", which the manifest names," },
                jars.join(", "),
                meant(offered)
            ),
            Self::NoMainMethod { class, offered } => write!(
                out,
                "the main class {class} has no public static void main(String[]): {}",
                meant(offered)
            ),
            Self::OtherMinor { jar, sources, built_for, flink, remedy } => {
                write!(
                    out,
                    "{jar} was built for Flink {built_for} ({}), and the job is for {flink}: {}",
                    some(sources),
                    other_minor(remedy.as_deref(), *flink)
                )
            }
            Self::OtherScala { jar, source, built_for, scala, remedy } => {
                write!(
                    out,
                    "{jar} was built for Scala {built_for} ({source}), and Flink's image has {scala}"
                )?;
                match remedy {
                    Some(remedy) => write!(out, ": take {remedy}"),
                    None => write!(
                        out,
                        ", which is loaded before that of a job: build it for {scala}, or take scala. out of \
                         classloader.parent-first-patterns.default"
                    ),
                }
            }
            Self::BundledFlink { jar, role, artifacts } => {
                let artifacts = artifacts.join(", ");
                let follows = match role {
                    ArtifactRole::Lib => "in lib they may come before Flink's own",
                    _ => "Flink takes its own instead",
                };
                write!(
                    out,
                    "{jar} holds classes of {artifacts}, which every Flink image has, and {follows}: give the dependency the scope provided"
                )
            }
            Self::TwoFactories { identifier, of_catalog, one, other } => write!(
                out,
                "the factory '{identifier}' is there twice, {} in {} and {} in {}, and Flink refuses to choose{}: leave one of the jars out",
                one.0,
                one.1,
                other.0,
                other.1,
                if *of_catalog { " when a catalog of that type is made" } else { "" }
            ),
            Self::ClassesTwice { jars: (one, other), count, named } => write!(
                out,
                "{} in {one} and in {other} with different content, such as {}, and only one of each is loaded: leave one out, or relocate it when the jar is built",
                classes(*count),
                named.join(", ")
            ),
            Self::ClassesInImage { jar, role, count, named } => write!(
                out,
                "{} in {jar} and in the image with different content, such as {}, and {}: give the dependency the scope provided, or relocate it when the jar is built",
                classes(*count),
                named.join(", "),
                taken(*role)
            ),
            Self::NoUid { class } => write!(
                out,
                "no operator of {class} has a uid, so that Flink finds their state by the shape of the program, and may not find it once that has changed: call uid(\"…\") on each operator, or set upgradeMode: stateless"
            ),
        }
    }
}

fn classes(count: usize) -> String {
    if count == 1 { "a class is".to_owned() } else { format!("{count} classes are") }
}

/// Which of the classes of a jar and of the image are loaded.
fn taken(role: ArtifactRole) -> &'static str {
    match role {
        ArtifactRole::Lib => "only one of each is loaded",
        _ => "Flink takes the image's",
    }
}

/// What to do about a main class.
fn meant(offered: &[String]) -> String {
    match offered {
        [] => "none of them has a class with a main method, so add the jar with the program"
            .to_owned(),
        [one] => format!("set mainClass to {one}, if that is meant"),
        several => format!("set mainClass to one of {}", several.join(", ")),
    }
}

fn other_minor(remedy: Option<&str>, flink: FlinkVersion) -> String {
    match remedy {
        Some(remedy) => format!("take {remedy}"),
        None => format!("take or build one for {}, if there is one", flink.minor()),
    }
}

/// A few of them, and how many more there are.
fn some(sources: &[String]) -> String {
    const MOST: usize = 3;
    let more = sources.len().saturating_sub(MOST);
    let shown = sources.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
