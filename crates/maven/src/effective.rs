//! The effective POM: parents, profiles, values, imports and management put together, in Maven's order.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    coordinates::Gav,
    environment::Environment,
    interpolate::Values,
    pom::{Dependency, License, Pom, Relocation, Section},
    repository::{Answer, Repository, Want},
    xml::XmlError,
};

/// A POM with everything that others say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) managed: Vec<Dependency>,
    pub(crate) dependencies: Vec<Dependency>,
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

/// The effective POMs that were made.
pub(crate) type Known = HashMap<Gav, Result<Arc<Effective>, Unusable>>;

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
    pub(crate) fn effective(&mut self, of: &Gav) -> Result<Arc<Effective>, NoModel> {
        if let Some(known) = self.known.get(of) {
            return known.clone().map_err(NoModel::Unusable);
        }
        match self.build(of) {
            Ok(model) => {
                let model = Arc::new(model);
                self.known.insert(of.clone(), Ok(model.clone()));
                Ok(model)
            }
            Err(NoModel::Unusable(why)) => {
                // A circle is one only for who came this way.
                if self.importing.is_empty() {
                    self.known.insert(of.clone(), Err(why.clone()));
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

    fn build(&mut self, of: &Gav) -> Result<Effective, NoModel> {
        let lineage = self.lineage(of)?;
        let mut whole = Section::default();
        for pom in &lineage {
            inherit(&mut whole, own_section(pom, self.environment));
        }
        let pom = &lineage[0];
        let own = Gav {
            group: pom.group.clone().unwrap_or_else(|| inherited(pom, |parent| &parent.group)),
            artifact: pom.artifact.clone(),
            version: pom
                .version
                .clone()
                .unwrap_or_else(|| inherited(pom, |parent| &parent.version)),
        };
        let properties: HashMap<String, String> = whole.properties.into_iter().collect();
        let values = Values {
            own: &own,
            packaging: &pom.packaging,
            parent: pom.parent.as_ref(),
            properties: &properties,
            environment: self.environment,
        };
        let replace_all = |list: Vec<Dependency>| -> Vec<Dependency> {
            list.into_iter().map(|one| replace(&values, one)).collect()
        };
        let (managed, mut dependencies) =
            (replace_all(whole.managed), replace_all(whole.dependencies));
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
        let managed = self.import(of, managed)?;
        manage(&mut dependencies, &managed);
        let lacks = |one: &&Dependency| {
            one.group.is_empty() || one.artifact.is_empty() || one.version.is_empty()
        };
        if let Some(Dependency { group, artifact, .. }) = dependencies.iter().find(lacks) {
            let dependency = format!("{group}:{artifact}");
            return Err(NoModel::Unusable(Unusable::Incomplete { pom: of.clone(), dependency }));
        }
        Ok(Effective { managed, dependencies, relocation, licenses })
    }

    /// Puts what imported POMs manage behind what is managed here; the first import wins.
    fn import(&mut self, of: &Gav, managed: Vec<Dependency>) -> Result<Vec<Dependency>, NoModel> {
        let (imports, mut managed): (Vec<_>, Vec<_>) =
            managed.into_iter().partition(Dependency::is_import);
        for import in imports {
            let from = Gav::new(&import.group, &import.artifact, &import.version);
            if from == *of || self.importing.contains(&from) || self.importing.len() > MAX_IMPORTS {
                return Err(NoModel::Unusable(Unusable::Imports { pom: from }));
            }
            self.importing.push(of.clone());
            let model = self.effective(&from);
            self.importing.pop();
            merge(&mut managed, model?.managed.clone(), false);
        }
        Ok(managed)
    }
}

fn inherited(pom: &Pom, part: impl Fn(&Gav) -> &String) -> String {
    pom.parent.as_ref().map(|parent| part(parent).clone()).unwrap_or_default()
}

/// What the POM itself says: without doubles, and with its profiles that hold.
fn own_section(pom: &Pom, environment: &Environment) -> Section {
    let mut own = pom.base.clone();
    deduplicate(&mut own.dependencies);
    for profile in environment.active(pom) {
        let Section { properties, managed, dependencies } = profile.section.clone();
        own.properties.extend(properties);
        merge(&mut own.managed, managed, true);
        merge(&mut own.dependencies, dependencies, true);
    }
    own
}

/// Adds what the parent says and the child does not.
fn inherit(child: &mut Section, parent: Section) {
    let Section { properties, managed, dependencies } = parent;
    // The last of a name counts, so the parent's go first.
    child.properties.splice(0..0, properties);
    merge(&mut child.managed, managed, false);
    merge(&mut child.dependencies, dependencies, false);
}

/// Adds `more` to `list` by key; of two with one key the later counts if `more` dominates, in the place of the first.
fn merge(list: &mut Vec<Dependency>, more: Vec<Dependency>, dominates: bool) {
    if more.is_empty() {
        return;
    }
    deduplicate(list);
    let mut places: HashMap<_, usize> =
        list.iter().enumerate().map(|(index, one)| (owned_key(one), index)).collect();
    for one in more {
        match places.get(&owned_key(&one)) {
            Some(place) if dominates => list[*place] = one,
            Some(_) => {}
            None => {
                places.insert(owned_key(&one), list.len());
                list.push(one);
            }
        }
    }
}

/// Of several with one key the last stays, in the place of the first.
fn deduplicate(list: &mut Vec<Dependency>) {
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut kept: Vec<Dependency> = Vec::with_capacity(list.len());
    for one in list.drain(..) {
        if let Some(place) = places.get(&owned_key(&one)) {
            kept[*place] = one;
        } else {
            places.insert(owned_key(&one), kept.len());
            kept.push(one);
        }
    }
    *list = kept;
}

fn owned_key(one: &Dependency) -> [String; 4] {
    let (group, artifact, kind, classifier) = one.key();
    [group, artifact, kind, classifier].map(str::to_owned)
}

fn replace(values: &Values<'_>, mut one: Dependency) -> Dependency {
    for text in [
        &mut one.group,
        &mut one.artifact,
        &mut one.version,
        &mut one.kind,
        &mut one.classifier,
        &mut one.scope,
        &mut one.optional,
    ] {
        *text = values.replace(text);
    }
    for exclusion in &mut one.exclusions {
        exclusion.group = values.replace(&exclusion.group);
        exclusion.artifact = values.replace(&exclusion.artifact);
    }
    one
}

/// Fills in what a dependency leaves open. Whether it is optional is not managed.
fn manage(dependencies: &mut [Dependency], managed: &[Dependency]) {
    let mut by_key: HashMap<_, Vec<&Dependency>> = HashMap::new();
    for one in managed {
        by_key.entry(one.key()).or_default().push(one);
    }
    for dependency in dependencies {
        let found = by_key.get(&dependency.key()).cloned().unwrap_or_default();
        for managed in found {
            let fill = |text: &mut String, from: &str| {
                if text.is_empty() {
                    from.clone_into(text);
                }
            };
            fill(&mut dependency.version, &managed.version);
            fill(&mut dependency.scope, &managed.scope);
            if dependency.exclusions.is_empty() {
                dependency.exclusions.clone_from(&managed.exclusions);
            }
        }
    }
}

#[cfg(test)]
mod tests;
