//! Collects everything that is wanted, as Maven 3 walks: depth first, cut at circles, shared where it is the same.

use std::collections::{BTreeSet, HashMap};

use flumen_maven_version::{Constraint, Version};

use crate::{
    coordinates::{Coordinates, Exclusion, Gav},
    effective::{Effective, For, Models, NoModel, Unusable},
    error::Error,
    graph::{Graph, ListId, Node, key},
    pom::Dependency,
    repository::{Answer, Repository, Want},
    scope::Scope,
};

/// The deepest chain of dependencies that is followed.
const MAX_DEPTH: usize = 120;
/// The largest graph that is put together.
const MAX_NODES: usize = 300_000;
const MAX_RELOCATIONS: usize = 20;

/// What was found on the way.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) wants: BTreeSet<Want>,
    /// Artifacts whose POMs cannot be used, and why.
    pub(crate) unusable: Vec<(Gav, Unusable)>,
}

pub(crate) struct Collector<'a, R> {
    models: Models<'a, R>,
    pub(crate) graph: Graph,
    pub(crate) findings: Findings,
    /// Lists of children that were begun, by what decides about them.
    pool: HashMap<(Coordinates, usize), ListId>,
    exclusions: Vec<BTreeSet<Exclusion>>,
    /// What is being walked through, outermost first, with its list.
    path: Vec<([String; 4], ListId)>,
}

/// How a dependency is looked at: where it goes, and what is excluded, by its place in `exclusions`.
#[derive(Clone, Copy)]
struct Place {
    list: ListId,
    exclusions: usize,
}

impl<'a, R: Repository> Collector<'a, R> {
    pub(crate) fn new(models: Models<'a, R>) -> Self {
        Self {
            models,
            graph: Graph::new(),
            findings: Findings::default(),
            pool: HashMap::new(),
            exclusions: vec![BTreeSet::new()],
            path: Vec::new(),
        }
    }

    /// Walks from what the user asks for.
    pub(crate) fn collect(&mut self, wanted: &[Dependency]) -> Result<(), Error> {
        let place = Place { list: Graph::ROOT, exclusions: 0 };
        wanted.iter().try_for_each(|one| self.add(one, place))
    }

    fn is_selected(&self, dependency: &Dependency, exclusions: usize) -> bool {
        let is_excluded = self.exclusions[exclusions]
            .iter()
            .any(|exclusion| exclusion.matches(&dependency.group, &dependency.artifact));
        let is_direct = self.path.is_empty();
        let is_for_others =
            matches!(Scope::parse(&dependency.scope), Scope::Test | Scope::Provided)
                || dependency.optional == "true";
        !is_excluded && (is_direct || !is_for_others)
    }

    fn add(&mut self, dependency: &Dependency, place: Place) -> Result<(), Error> {
        if !self.is_selected(dependency, place.exclusions) {
            return Ok(());
        }
        // A range that cannot be read is taken as a version that nobody has.
        let constraint = Constraint::parse(&dependency.version)
            .unwrap_or_else(|_| Constraint::Soft(dependency.version.clone()));
        for version in self.versions(dependency, &constraint)? {
            let gav = Gav { version, ..Gav::new(&dependency.group, &dependency.artifact, "") };
            let coordinates = Coordinates::of_type(gav, &dependency.kind, &dependency.classifier);
            self.add_version(dependency, coordinates, &constraint, place)?;
        }
        Ok(())
    }

    fn versions(
        &mut self,
        dependency: &Dependency,
        constraint: &Constraint,
    ) -> Result<Vec<String>, Error> {
        let (group, artifact) = (&dependency.group, &dependency.artifact);
        if let Constraint::Soft(version) = constraint {
            return Ok(vec![version.clone()]);
        }
        let known = match self.models.repository.versions(group, artifact) {
            Answer::Pending => {
                self.findings.wants.insert(Want::Versions(group.clone(), artifact.clone()));
                return Ok(Vec::new());
            }
            Answer::Known(versions) => versions,
            Answer::Absent => std::sync::Arc::default(),
        };
        let mut versions: Vec<_> = known
            .iter()
            .map(|text| Version::parse(text))
            .filter(|version| constraint.allows(version))
            .collect();
        versions.sort();
        if versions.is_empty() {
            return Err(Error::NoVersion {
                artifact: format!("{group}:{artifact}"),
                range: dependency.version.clone(),
                known: known.iter().rev().take(5).rev().cloned().collect(),
            });
        }
        Ok(versions.iter().map(|version| version.as_str().to_owned()).collect())
    }

    fn add_version(
        &mut self,
        dependency: &Dependency,
        coordinates: Coordinates,
        constraint: &Constraint,
        place: Place,
    ) -> Result<(), Error> {
        let scope = Scope::parse(&dependency.scope);
        let (coordinates, formerly, model) = match scope {
            Scope::System => (coordinates, Vec::new(), None),
            _ => self.describe(coordinates),
        };
        if !formerly.is_empty() {
            let moved = Dependency {
                group: coordinates.gav.group.clone(),
                artifact: coordinates.gav.artifact.clone(),
                ..dependency.clone()
            };
            if !self.is_selected(&moved, place.exclusions) {
                return Ok(());
            }
        }
        if self.graph.nodes.len() >= MAX_NODES {
            return Err(Error::TooLarge { nodes: MAX_NODES });
        }
        let own = key(&coordinates);
        let circle = self.path.iter().rev().find(|(key, _)| *key == own).map(|(_, list)| *list);
        let children = circle.unwrap_or_else(|| self.graph.add_list());
        let node = Node {
            version: Version::parse(&coordinates.gav.version),
            coordinates: coordinates.clone(),
            constraint: constraint.clone(),
            scope,
            optional: dependency.optional == "true",
            formerly,
            children,
        };
        self.graph.add(place.list, node);
        match model {
            Some(model) if circle.is_none() && !model.dependencies.is_empty() => {
                self.descend(dependency, &coordinates, &model, place)
            }
            _ => Ok(()),
        }
    }

    /// Walks through the dependencies of the node that was added last, if nobody did it under the same conditions.
    fn descend(
        &mut self,
        dependency: &Dependency,
        coordinates: &Coordinates,
        model: &Effective,
        place: Place,
    ) -> Result<(), Error> {
        if self.path.len() >= MAX_DEPTH {
            return Err(Error::TooDeep { at: coordinates.to_string(), depth: MAX_DEPTH });
        }
        let exclusions = self.exclude(place.exclusions, &dependency.exclusions);
        let pool_key = (coordinates.clone(), exclusions);
        let added = self.graph.nodes.len() - 1;
        if let Some(list) = self.pool.get(&pool_key) {
            self.graph.nodes[added].children = *list;
            return Ok(());
        }
        let list = self.graph.nodes[added].children;
        self.pool.insert(pool_key, list);
        self.path.push((key(coordinates), list));
        for below in &model.dependencies {
            self.add(below, Place { list, exclusions })?;
        }
        self.path.pop();
        Ok(())
    }

    /// The place of what is excluded with `more` added.
    fn exclude(&mut self, exclusions: usize, more: &[Exclusion]) -> usize {
        let mut all = self.exclusions[exclusions].clone();
        all.extend(more.iter().cloned());
        if let Some(place) = self.exclusions.iter().position(|known| *known == all) {
            return place;
        }
        self.exclusions.push(all);
        self.exclusions.len() - 1
    }

    /// Where an artifact is today, what it was called before, and its POM if that can be used.
    fn describe(
        &mut self,
        coordinates: Coordinates,
    ) -> (Coordinates, Vec<Coordinates>, Option<std::sync::Arc<Effective>>) {
        let (mut now, mut formerly) = (coordinates, Vec::new());
        loop {
            let model = match self.models.effective(&now.gav, For::Dependencies) {
                Ok(model) => model,
                Err(NoModel::Wants(want)) => {
                    self.findings.wants.insert(want);
                    return (now, formerly, None);
                }
                Err(NoModel::Unusable(why)) => {
                    self.findings.unusable.push((now.gav.clone(), why));
                    return (now, formerly, None);
                }
            };
            let Some(to) = &model.relocation else { return (now, formerly, Some(model)) };
            let part = |new: &Option<String>, old: &String| new.as_ref().unwrap_or(old).clone();
            let gav = Gav {
                group: part(&to.group, &now.gav.group),
                artifact: part(&to.artifact, &now.gav.artifact),
                version: part(&to.version, &now.gav.version),
            };
            let moved = Coordinates { gav, ..now.clone() };
            if moved == now || formerly.contains(&moved) || formerly.len() >= MAX_RELOCATIONS {
                return (now, formerly, Some(model));
            }
            formerly.push(std::mem::replace(&mut now, moved));
        }
    }
}
