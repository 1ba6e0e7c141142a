//! The effective POM: parents, profiles, values, imports and management put together, in Maven's order.

mod keyed;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    coordinates::{Exclusion, Gav},
    environment::Environment,
    interpolate::Values,
    pom::{Dependency, License, Pom, Relocation, Section},
    repository::{Answer, Repository, Want},
    xml::XmlError,
};
use keyed::{Firsts, Keys, deduplicate, manage};

/// A POM with everything that others say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) managed: Vec<Arc<Dependency>>,
    pub(crate) dependencies: Vec<Arc<Dependency>>,
    pub(crate) relocation: Option<Relocation>,
    pub(crate) licenses: Vec<License>,
}

/// Why a POM cannot be used. Its artifact then counts as one without dependencies, as in Maven.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unusable {
    /// The POM is not there.
    #[error("could not find the POM {pom}")]
    Missing {
        /// Of what.
        pom: Gav,
    },
    /// The file is no POM.
    #[error("the POM {pom} cannot be read")]
    Unreadable {
        /// Of what.
        pom: Gav,
        /// What is wrong with it.
        #[source]
        source: Arc<XmlError>,
    },
    /// It inherits from itself, or from too many.
    #[error("the POM {pom} inherits from itself, or over more than {MAX_PARENTS} steps")]
    Parents {
        /// Of what.
        pom: Gav,
    },
    /// It imports itself, or over too many steps.
    #[error("the POM {pom} imports itself, or over more than {MAX_IMPORTS} steps")]
    Imports {
        /// Of what.
        pom: Gav,
    },
    /// It does not say all of a dependency, and nothing manages it.
    #[error("the POM {pom} names no version, group or artifact of its dependency {dependency}")]
    Incomplete {
        /// Of what.
        pom: Gav,
        /// Group and artifact of the dependency.
        dependency: String,
    },
    /// Its coordinates, or those of a parent or import, hold what no name may hold.
    #[error("the coordinates {pom:?} are none")]
    Coordinates {
        /// The text.
        pom: String,
    },
}

impl Unusable {
    /// The POM that is meant, where its coordinates are such.
    pub fn pom(&self) -> Option<&Gav> {
        match self {
            Self::Missing { pom }
            | Self::Unreadable { pom, .. }
            | Self::Parents { pom }
            | Self::Imports { pom }
            | Self::Incomplete { pom, .. } => Some(pom),
            Self::Coordinates { .. } => None,
        }
    }
}

/// Why there is no effective POM.
#[derive(Debug)]
pub(crate) enum NoModel {
    Wants(Want),
    Unusable(Unusable),
}

const MAX_PARENTS: usize = 60;
const MAX_IMPORTS: usize = 30;

/// What an effective POM is wanted for: parents and those that are imported manage far more than a POM depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum For {
    /// What it depends on.
    Dependencies,
    /// All that it manages.
    Import,
}

/// The effective POMs that were made.
pub(crate) type Known = HashMap<(Gav, For), Result<Arc<Effective>, Unusable>>;

/// Makes effective POMs, each once.
pub(crate) struct Models<'a, R> {
    environment: &'a Environment,
    pub(crate) repository: &'a R,
    known: &'a mut Known,
    importing: Vec<Gav>,
}

impl<'a, R: Repository> Models<'a, R> {
    pub(crate) fn new(
        environment: &'a Environment,
        repository: &'a R,
        known: &'a mut Known,
    ) -> Self {
        Self { environment, repository, known, importing: Vec::new() }
    }

    /// The effective POM of these coordinates.
    pub(crate) fn effective(&mut self, of: &Gav, purpose: For) -> Result<Arc<Effective>, NoModel> {
        let key = (of.clone(), purpose);
        if let Some(known) = self.known.get(&key) {
            return known.clone().map_err(NoModel::Unusable);
        }
        match self.build(of, purpose) {
            Ok(model) => {
                let model = Arc::new(model);
                self.known.insert(key, Ok(model.clone()));
                Ok(model)
            }
            Err(NoModel::Unusable(why)) => {
                // A circle is one only for who came this way.
                if self.importing.is_empty() {
                    self.known.insert(key, Err(why.clone()));
                }
                Err(NoModel::Unusable(why))
            }
            wants => wants.map(Arc::new),
        }
    }

    fn raw(&self, of: &Gav) -> Result<Arc<Pom>, NoModel> {
        let refuse = |why| Err(NoModel::Unusable(why));
        if !of.is_sound() {
            return refuse(Unusable::Coordinates { pom: of.to_string() });
        }
        match self.repository.pom(of) {
            Answer::Known(Ok(pom)) => Ok(pom),
            Answer::Known(Err(source)) => refuse(Unusable::Unreadable { pom: of.clone(), source }),
            Answer::Absent => refuse(Unusable::Missing { pom: of.clone() }),
            Answer::Pending => Err(NoModel::Wants(Want::Pom(of.clone()))),
        }
    }

    /// The POM and those it inherits from, nearest first.
    fn lineage(&self, of: &Gav) -> Result<Vec<Arc<Pom>>, NoModel> {
        let mut lineage = vec![self.raw(of)?];
        let mut seen = HashSet::from([of.clone()]);
        while let Some(parent) = lineage.last().and_then(|pom| pom.parent.clone()) {
            if !seen.insert(parent.clone()) || lineage.len() > MAX_PARENTS {
                return Err(NoModel::Unusable(Unusable::Parents { pom: of.clone() }));
            }
            lineage.push(self.raw(&parent)?);
        }
        Ok(lineage)
    }

    fn build(&mut self, of: &Gav, purpose: For) -> Result<Effective, NoModel> {
        let lineage = self.lineage(of)?;
        let sections: Vec<_> = lineage.iter().map(|pom| sections(pom, self.environment)).collect();
        let (mut managed, mut dependencies) = (Firsts::default(), Firsts::default());
        for own in &sections {
            managed.extend(own_managed(own));
            dependencies.extend(own_dependencies(own));
        }
        // The last of a name counts, so those of the farthest parent go first.
        let said = sections.iter().rev().flatten().flat_map(|section| &section.properties);
        let properties = said.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pom = &lineage[0];
        let own = Gav {
            group: pom.group.clone().unwrap_or_else(|| inherited(pom, |parent| &parent.group)),
            artifact: pom.artifact.clone(),
            version: pom
                .version
                .clone()
                .unwrap_or_else(|| inherited(pom, |parent| &parent.version)),
        };
        let values = Values {
            own: &own,
            packaging: &pom.packaging,
            parent: pom.parent.as_ref(),
            properties: &properties,
            environment: self.environment,
        };
        let replaced = dependencies.list.into_iter().map(|one| replace(&values, one));
        let mut dependencies: Vec<_> = replaced.collect();
        let wanted = Keys::wanted(&dependencies, purpose);
        let managed = managed.list.into_iter().filter(|one| wanted.may_have(one));
        let managed = managed.map(|one| replace(&values, one)).collect();
        let part = |text: &Option<String>| text.as_ref().map(|text| values.replace(text));
        let relocation = pom.relocation.as_ref().map(|to| Relocation {
            group: part(&to.group),
            artifact: part(&to.artifact),
            version: part(&to.version),
        });
        // Those of a parent count where the POM names none.
        let said = lineage.iter().map(|pom| &pom.licenses).find(|licenses| !licenses.is_empty());
        let licenses = said
            .into_iter()
            .flatten()
            .map(|one| License { name: values.replace(&one.name), url: values.replace(&one.url) });
        let licenses = licenses.collect();
        let managed = self.import(of, managed, &wanted)?;
        manage(&mut dependencies, &managed);
        let lacks = |one: &&Arc<Dependency>| {
            one.group.is_empty() || one.artifact.is_empty() || one.version.is_empty()
        };
        if let Some(Dependency { group, artifact, .. }) =
            dependencies.iter().find(lacks).map(Arc::as_ref)
        {
            let dependency = format!("{group}:{artifact}");
            return Err(NoModel::Unusable(Unusable::Incomplete { pom: of.clone(), dependency }));
        }
        Ok(Effective { managed, dependencies, relocation, licenses })
    }

    /// Puts what imported POMs manage behind what is managed here; the first import wins.
    fn import(
        &mut self,
        of: &Gav,
        managed: Vec<Arc<Dependency>>,
        wanted: &Keys,
    ) -> Result<Vec<Arc<Dependency>>, NoModel> {
        let (imports, mut managed): (Vec<_>, Vec<_>) =
            managed.into_iter().partition(|one| one.is_import());
        let (mut imported, mut is_any) = (Vec::new(), false);
        for import in imports {
            let from = Gav::new(&import.group, &import.artifact, &import.version);
            if from == *of || self.importing.contains(&from) || self.importing.len() > MAX_IMPORTS {
                return Err(NoModel::Unusable(Unusable::Imports { pom: from }));
            }
            self.importing.push(of.clone());
            let model = self.effective(&from, For::Import);
            self.importing.pop();
            let model = model?;
            is_any |= !model.managed.is_empty();
            imported.extend(model.managed.iter().filter(|one| wanted.may_have(one)).cloned());
        }
        if !is_any {
            return Ok(managed);
        }
        deduplicate(&mut managed);
        let mut all = Firsts::default();
        all.extend(managed);
        all.extend(imported);
        Ok(all.list)
    }
}

fn inherited(pom: &Pom, part: impl Fn(&Gav) -> &String) -> String {
    pom.parent.as_ref().map(|parent| part(parent).clone()).unwrap_or_default()
}

/// What a POM says, and then what those of its profiles say that hold.
fn sections<'p>(pom: &'p Pom, environment: &Environment) -> Vec<&'p Section> {
    let active = environment.active(pom).into_iter().map(|profile| &profile.section);
    std::iter::once(&pom.base).chain(active).collect()
}

/// What sections of one POM manage together.
fn own_managed(sections: &[&Section]) -> Vec<Arc<Dependency>> {
    let mut all: Vec<_> = sections.iter().flat_map(|section| &section.managed).cloned().collect();
    // Without profiles that manage, the first of two with one key counts.
    if sections.iter().skip(1).any(|profile| !profile.managed.is_empty()) {
        deduplicate(&mut all);
    }
    all
}

/// What sections of one POM depend on together.
fn own_dependencies(sections: &[&Section]) -> Vec<Arc<Dependency>> {
    let mut all: Vec<_> =
        sections.iter().flat_map(|section| &section.dependencies).cloned().collect();
    deduplicate(&mut all);
    all
}

/// The dependency with all values that are known.
fn replace(values: &Values<'_>, one: Arc<Dependency>) -> Arc<Dependency> {
    let Dependency { group, artifact, version, kind, classifier, scope, optional, exclusions } =
        &*one;
    let excluded = exclusions.iter().flat_map(|one| [&one.group, &one.artifact]);
    let parts = [group, artifact, version, kind, classifier, scope, optional].into_iter();
    if !parts.chain(excluded).any(|text| text.contains('$')) {
        return one;
    }
    let part = |text: &String| values.replace(text);
    let exclusions = exclusions
        .iter()
        .map(|one| Exclusion { group: part(&one.group), artifact: part(&one.artifact) });
    Arc::new(Dependency {
        group: part(group),
        artifact: part(artifact),
        version: part(version),
        kind: part(kind),
        classifier: part(classifier),
        scope: part(scope),
        optional: part(optional),
        exclusions: exclusions.collect(),
    })
}

#[cfg(test)]
mod tests;
