//! Why nothing fits, for a person.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::Search;
use crate::{Error, tags::WheelName};

/// The most versions, or kinds of wheels, that are named.
const MOST_NAMED: usize = 5;

pub(super) fn unreadable(project: String, problem: &str) -> Error {
    Error::UseArchive { name: project, problem: problem.to_owned() }
}

impl Search<'_> {
    /// Who wants what of a project.
    fn wanted(&self, project: &PackageName) -> Vec<String> {
        let of = self.demands.iter().filter(|one| one.requirement.name == *project);
        of.map(|one| {
            let mut requirement = one.requirement.clone();
            requirement.marker = pep508_rs::MarkerTree::default();
            format!("{requirement} ({})", one.by)
        })
        .collect()
    }

    /// What was taken of it does not fit what is wanted of it now.
    pub(super) fn contradiction(&self, project: &PackageName) -> Error {
        Error::NoVersion {
            project: project.to_string(),
            wanted: self.wanted(project),
            known: self.versions(project),
        }
    }

    pub(super) fn of_flink(&self, project: &PackageName, version: &Version) -> Error {
        Error::OfFlink {
            project: project.to_string(),
            wanted: self.wanted(project),
            version: version.to_string(),
        }
    }

    pub(super) fn unknown(&self, project: &PackageName) -> Error {
        let by = self.demands.iter().find(|one| one.requirement.name == *project);
        Error::NoProject {
            project: project.to_string(),
            by: by.map(|one| one.by.clone()).unwrap_or_default(),
            // Whoever asks it knows its name.
            index: String::new(),
        }
    }

    /// Why no wheel fits: no version, only source packages, wheels for another Python, or other bytes.
    pub(super) fn nothing_fits(&self, project: &PackageName) -> Error {
        let files = self.known.listings.get(project).and_then(Option::as_deref).unwrap_or_default();
        let wanted: Vec<_> =
            self.demands.iter().filter(|one| one.requirement.name == *project).collect();
        let fits = |version: &Version| wanted.iter().all(|one| one.allows(version));
        let (mut other_tags, mut other_hash, mut withdrawn) = (BTreeMap::new(), None, None);
        let mut source: Option<Version> = None;
        for file in files {
            if let Some(wheel) = WheelName::parse(&file.name) {
                if wheel.project != *project || !fits(&wheel.version) {
                    continue;
                }
                let is_usable = self.usable(project, file).is_some()
                    && self.problem.target.tags.place(&wheel).is_some();
                if !is_usable {
                    let tags: &mut BTreeSet<String> =
                        other_tags.entry(wheel.version.clone()).or_default();
                    tags.insert(wheel.shown_tags());
                } else if file.is_yanked {
                    withdrawn = withdrawn.max(Some(wheel.version));
                } else {
                    other_hash = Some((wheel.version.clone(), file.sha256.clone()));
                }
            } else if let Some(version) = version_of_source(&file.name, project).filter(fits) {
                source = source.max(Some(version));
            }
        }
        if let Some((version, sha256)) = other_hash {
            return Error::NoHash {
                project: project.to_string(),
                version: version.to_string(),
                file: self.problem.wanted.first().map(|one| one.file.clone()).unwrap_or_default(),
                found: sha256.map(|it| it.to_string()).unwrap_or_default(),
            };
        }
        // What is newest says best what there is.
        let other_tags = other_tags.last_key_value();
        let why = match (other_tags, source) {
            _ if withdrawn.is_some() => {
                let version = withdrawn.map(|it| it.to_string()).unwrap_or_default();
                format!("{version} was withdrawn; name it with == if it is wanted all the same")
            }
            (None, None) => return self.contradiction(project),
            (None, Some(version)) => format!(
                "{version} comes only as source, and building it would run its code on the server"
            ),
            (Some((version, tags)), _) => {
                let named: Vec<_> = tags.iter().take(MOST_NAMED).cloned().collect();
                let more = tags.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 { format!(" and {more} others") } else { String::new() };
                format!("the wheels of {version} are for {}{more}", named.join(", "))
            }
        };
        Error::NoWheel {
            project: self.wanted(project).join(" and "),
            target: self.problem.target.to_string(),
            why,
        }
    }

    /// The newest versions that the index has.
    fn versions(&self, project: &PackageName) -> String {
        let files = self.known.listings.get(project).and_then(Option::as_deref).unwrap_or_default();
        let versions: BTreeSet<Version> = files
            .iter()
            .filter_map(|file| match WheelName::parse(&file.name) {
                Some(wheel) => Some(wheel.version),
                None => version_of_source(&file.name, project),
            })
            .collect();
        let newest: Vec<_> =
            versions.iter().rev().take(MOST_NAMED).map(ToString::to_string).collect();
        if newest.is_empty() { "none".to_owned() } else { newest.join(", ") }
    }
}

/// `1.7` of `crcmod-1.7.tar.gz`.
fn version_of_source(name: &str, project: &PackageName) -> Option<Version> {
    let ends = [".tar.gz", ".zip", ".tar.bz2", ".tgz"];
    let stem = ends.into_iter().find_map(|end| name.strip_suffix(end))?;
    // Names before PEP 625 have hyphens of their own.
    let (name, version) = stem.rsplit_once('-')?;
    let is_it = PackageName::new(name.to_owned()).is_ok_and(|name| name == *project);
    is_it.then(|| version.parse().ok()).flatten()
}
