//! Which version of what is taken: the newest that fits all that is wanted, with another tried where it does not.

mod explain;
mod problem;

use std::collections::{BTreeMap, BTreeSet};

use flumen_model::Digest;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, Requirement, VersionOrUrl};

pub(crate) use self::problem::{Known, Need, Pick, Problem, Step};
use crate::{Error, listing::File, requirements::Wanted, tags::WheelName};

/// How many versions are tried in all.
const MOST_TRIES: u32 = 20_000;
/// Flink's own, which are never put in the place of those of the image.
const OF_FLINK: [&str; 2] = ["apache-flink", "apache-flink-libraries"];

/// What is wanted of a project, and by whom.
#[derive(Debug, Clone)]
struct Demand {
    requirement: Requirement,
    /// Who wants it, for messages.
    by: String,
    /// The project that does, unless it is the file.
    from: Option<PackageName>,
}

impl Demand {
    fn specifiers(&self) -> Option<&VersionSpecifiers> {
        match &self.requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => Some(specifiers),
            Some(VersionOrUrl::Url(_)) | None => None,
        }
    }

    fn allows(&self, version: &Version) -> bool {
        self.specifiers().is_none_or(|specifiers| specifiers.contains(version))
    }
}

/// A version that could be taken.
#[derive(Debug, Clone)]
struct Candidate {
    version: Version,
    /// None: the image has it.
    file: Option<File>,
}

enum Stop {
    /// Something has to be known first.
    Need,
    /// Nothing fits here; another version of one of these may help, and of nothing else.
    DeadEnd(BTreeSet<PackageName>),
    /// Nothing will.
    Failed(Error),
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    known: &'a Known,
    demands: Vec<Demand>,
    picks: BTreeMap<PackageName, Candidate>,
    need: Need,
    /// The first thing that did not fit, which is what a person would see first.
    conflict: Option<Error>,
    tries: u32,
}

/// Goes as far as what is known allows.
///
/// # Errors
/// If nothing fits.
pub(crate) fn step(problem: &Problem<'_>, known: &Known) -> Result<Step, Error> {
    let mut search = Search {
        problem,
        known,
        demands: Vec::new(),
        picks: BTreeMap::new(),
        need: Need::default(),
        conflict: None,
        tries: 0,
    };
    for Wanted { requirement, place, .. } in problem.wanted {
        if requirement.evaluate_markers(&problem.target.markers, &[]) {
            let (requirement, by) = (requirement.clone(), place.clone());
            let demand = Demand { requirement, by, from: None };
            search.demands.push(demand);
        }
    }
    match search.go() {
        Ok(()) => Ok(Step::Done(search.picked())),
        Err(Stop::Need) => Ok(Step::Need(search.need)),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::DeadEnd(_)) => {
            let conflict = search.conflict.take();
            Err(conflict.unwrap_or(Error::TooHard { tries: search.tries }))
        }
    }
}

impl Search<'_> {
    /// Takes a version of the first project that has none yet, and goes on.
    fn go(&mut self) -> Result<(), Stop> {
        let Some(project) = self.open().next().cloned() else { return Ok(()) };
        let candidates = match self.candidates(&project) {
            Err(Stop::Need) => {
                self.look_ahead();
                return Err(Stop::Need);
            }
            other => other?,
        };
        // Why there is no other version of it to try.
        let mut culprits = self.wanted_by(&project);
        for candidate in candidates {
            self.tries += 1;
            if self.tries > MOST_TRIES {
                return Err(Stop::Failed(Error::TooHard { tries: MOST_TRIES }));
            }
            let before = self.demands.len();
            self.picks.insert(project.clone(), candidate);
            let followed = self.follow(&project);
            if let Err(Stop::Need) = followed {
                self.look_ahead();
            }
            match followed.and_then(|()| self.go()) {
                Err(Stop::DeadEnd(blamed)) => {
                    self.demands.truncate(before);
                    self.picks.remove(&project);
                    if !blamed.contains(&project) {
                        return Err(Stop::DeadEnd(blamed));
                    }
                    culprits.extend(blamed.into_iter().filter(|one| *one != project));
                }
                done => return done,
            }
        }
        Err(Stop::DeadEnd(culprits))
    }

    /// The projects that want something of a project.
    fn wanted_by(&self, project: &PackageName) -> BTreeSet<PackageName> {
        let of = self.demands.iter().filter(|one| one.requirement.name == *project);
        of.filter_map(|one| one.from.clone()).collect()
    }

    /// Projects of which no version is taken yet, in the order in which they came up.
    fn open(&self) -> impl Iterator<Item = &PackageName> {
        let names = self.demands.iter().map(|one| &one.requirement.name);
        names.filter(|name| !self.picks.contains_key(*name))
    }

    /// Asks in the same round for what will be needed next as things are.
    fn look_ahead(&mut self) {
        let open: BTreeSet<PackageName> = self.open().cloned().collect();
        for project in open {
            let Ok(candidates) = self.candidates(&project) else { continue };
            if let Some(Candidate { version, file: Some(file) }) = candidates.first() {
                let key = (project, version.clone());
                if !self.known.requires.contains_key(&key) {
                    self.need.requires.insert(key, file.clone());
                }
            }
        }
    }

    /// Adds what the version needs that was taken of a project, with the extras that are wanted of it.
    fn follow(&mut self, project: &PackageName) -> Result<(), Stop> {
        let mut to_follow = vec![project.clone()];
        while let Some(project) = to_follow.pop() {
            let Candidate { version, file } = self.picks[&project].clone();
            // What the image has was installed with what it needs.
            let Some(file) = file else { continue };
            let key = (project.clone(), version.clone());
            let known = self.known;
            let requires = match known.requires.get(&key) {
                None => {
                    self.need.requires.insert(key, file);
                    return Err(Stop::Need);
                }
                Some(Err(problem)) => {
                    let name = format!("{project} {version}");
                    let culprits = BTreeSet::from([project]);
                    return Err(self.dead_end(culprits, |_| explain::unreadable(name, problem)));
                }
                Some(Ok(requires)) => requires,
            };
            let extras = self.extras(&project);
            let by = format!("{project} {version}");
            for requirement in requires {
                if !requirement.evaluate_markers(&self.problem.target.markers, &extras) {
                    continue;
                }
                let is_known = |one: &Demand| one.by == by && one.requirement == *requirement;
                if self.demands.iter().any(is_known) {
                    continue;
                }
                let name = requirement.name.clone();
                if matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))) {
                    let error = Error::ByUrl { project: name.to_string(), by: by.clone() };
                    return Err(self.dead_end(BTreeSet::from([project]), |_| error));
                }
                let demand = Demand {
                    requirement: requirement.clone(),
                    by: by.clone(),
                    from: Some(project.clone()),
                };
                let fits =
                    self.picks.get(&name).is_none_or(|picked| demand.allows(&picked.version));
                self.demands.push(demand);
                if !fits {
                    // Another version of what was taken may fit too.
                    let mut culprits = self.wanted_by(&name);
                    culprits.insert(name.clone());
                    return Err(self.dead_end(culprits, |it| it.contradiction(&name)));
                }
                // Another extra of it may be wanted now.
                if self.picks.contains_key(&name) && !requirement.extras.is_empty() {
                    to_follow.push(name);
                }
            }
        }
        Ok(())
    }

    fn extras(&self, project: &PackageName) -> Vec<ExtraName> {
        let of = self.demands.iter().filter(|one| one.requirement.name == *project);
        let extras: BTreeSet<_> =
            of.flat_map(|one| one.requirement.extras.iter().cloned()).collect();
        extras.into_iter().collect()
    }

    /// What fits all that is wanted of a project so far, best first.
    fn candidates(&mut self, project: &PackageName) -> Result<Vec<Candidate>, Stop> {
        let wanted: Vec<Demand> =
            self.demands.iter().filter(|one| one.requirement.name == *project).cloned().collect();
        let culprits = self.wanted_by(project);
        let mut fitting = Vec::new();
        if let Some(version) = self.problem.installed.get(project) {
            if wanted.iter().all(|one| one.allows(version)) {
                fitting.push(Candidate { version: version.clone(), file: None });
            } else if OF_FLINK.contains(&project.as_ref()) {
                let version = version.clone();
                return Err(self.dead_end(culprits, |it| it.of_flink(project, &version)));
            }
        }
        if let Some(error) = self.lacks_hash(project, &wanted).filter(|_| fitting.is_empty()) {
            return Err(self.dead_end(culprits, |_| error));
        }
        match self.known.listings.get(project) {
            // The image has what is wanted: nothing is asked for that may not be needed.
            None if !fitting.is_empty() => return Ok(fitting),
            None => {
                self.need.listings.insert(project.clone());
                return Err(Stop::Need);
            }
            Some(None) if fitting.is_empty() => {
                return Err(self.dead_end(culprits, |it| it.unknown(project)));
            }
            Some(None) => {}
            Some(Some(files)) => fitting.extend(self.fitting_of(project, files, &wanted)),
        }
        if fitting.is_empty() {
            return Err(self.dead_end(culprits, |it| it.nothing_fits(project)));
        }
        Ok(fitting)
    }

    /// Versions of the index that fit, each with the wheel that fits best; newest first.
    fn fitting_of(
        &self,
        project: &PackageName,
        files: &[File],
        wanted: &[Demand],
    ) -> Vec<Candidate> {
        let hashes = self.hashes(project);
        let mut best = BTreeMap::new();
        for file in files {
            let Some(wheel) = self.usable(project, file) else { continue };
            let has_hash = |sha256: &Digest| hashes.is_empty() || hashes.contains(&sha256);
            if !file.sha256.as_ref().is_none_or(has_hash) {
                continue;
            }
            let Some(place) = self.problem.target.tags.place(&wheel) else { continue };
            let rank = (place, std::cmp::Reverse(wheel.build));
            let entry = best.entry(wheel.version).or_insert_with(|| (rank.clone(), file));
            if rank < entry.0 {
                *entry = (rank, file);
            }
        }
        let is_pinned = wanted.iter().any(|one| is_exact(one.specifiers()));
        best.retain(|version, (_, file)| {
            wanted.iter().all(|one| one.allows(version)) && (is_pinned || !file.is_yanked)
        });
        let takes_any = wanted
            .iter()
            .filter_map(Demand::specifiers)
            .any(|specifiers| specifiers.iter().any(pep440_rs::VersionSpecifier::any_prerelease));
        if !takes_any && best.keys().any(Version::is_stable) {
            best.retain(|version, _| version.is_stable());
        }
        let newest_first = best.into_iter().rev();
        newest_first
            .map(|(version, (_, file))| Candidate { version, file: Some(file.clone()) })
            .collect()
    }

    /// The wheel's name, if it is one of the project that this version of Python can take.
    fn usable(&self, project: &PackageName, file: &File) -> Option<WheelName> {
        let wheel = WheelName::parse(&file.name).filter(|wheel| wheel.project == *project)?;
        let python = &self.problem.target.version;
        let takes = file.requires_python.as_ref().is_none_or(|it| it.contains(python));
        takes.then_some(wheel)
    }

    /// The digests that the requirements file names for a project.
    fn hashes(&self, project: &PackageName) -> Vec<&Digest> {
        let of = self.problem.wanted.iter().filter(|one| one.requirement.name == *project);
        of.flat_map(|one| &one.hashes).collect()
    }

    fn lacks_hash(&self, project: &PackageName, wanted: &[Demand]) -> Option<Error> {
        let is_asked = self.problem.wanted.iter().any(|one| !one.hashes.is_empty());
        let is_there =
            !self.hashes(project).is_empty() && wanted.iter().any(|one| is_exact(one.specifiers()));
        (is_asked && !is_there).then(|| Error::NotHashed {
            project: project.to_string(),
            by: wanted.first().map(|one| one.by.clone()).unwrap_or_default(),
        })
    }

    fn picked(&self) -> Vec<Pick> {
        let picked = self.picks.iter().filter_map(|(project, candidate)| {
            Some(Pick {
                project: project.clone(),
                version: candidate.version.clone(),
                file: candidate.file.clone()?,
                hashes: self.hashes(project).into_iter().cloned().collect(),
            })
        });
        picked.collect()
    }

    /// Notes why it does not go on here, if that is the first time.
    fn dead_end(
        &mut self,
        culprits: BTreeSet<PackageName>,
        why: impl FnOnce(&Self) -> Error,
    ) -> Stop {
        if self.conflict.is_none() {
            self.conflict = Some(why(self));
        }
        Stop::DeadEnd(culprits)
    }
}

/// Whether one version is named, which is then also taken if it was withdrawn.
fn is_exact(specifiers: Option<&VersionSpecifiers>) -> bool {
    use pep440_rs::Operator::{Equal, ExactEqual};

    specifiers.is_some_and(|it| it.iter().any(|one| matches!(one.operator(), Equal | ExactEqual)))
}

#[cfg(test)]
mod tests;
