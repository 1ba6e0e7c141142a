//! Dependencies by what management finds them by: group, artifact, type and classifier.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{Hash, Hasher},
    sync::Arc,
};

use super::For;
use crate::pom::Dependency;

/// Dependencies of which the first of a key counts.
#[derive(Default)]
pub(super) struct Firsts {
    pub(super) list: Vec<Arc<Dependency>>,
    seen: HashSet<ByKey>,
}

impl Firsts {
    pub(super) fn extend(&mut self, more: Vec<Arc<Dependency>>) {
        self.list.extend(more.into_iter().filter(|one| self.seen.insert(ByKey(one.clone()))));
    }
}

/// The keys of what is managed that count.
pub(super) enum Keys {
    All,
    Those(HashSet<ByKey>),
}

impl Keys {
    pub(super) fn wanted(dependencies: &[Arc<Dependency>], purpose: For) -> Self {
        match purpose {
            For::Import => Self::All,
            For::Dependencies => Self::Those(dependencies.iter().cloned().map(ByKey).collect()),
        }
    }

    /// Whether one that is managed counts, or may do so once its values are known, or brings others.
    pub(super) fn may_have(&self, one: &Arc<Dependency>) -> bool {
        let Self::Those(keys) = self else { return true };
        let Dependency { group, artifact, kind, classifier, scope, .. } = &**one;
        let is_open =
            [group, artifact, kind, classifier, scope].iter().any(|text| text.contains('$'));
        one.is_import() || is_open || keys.contains(&ByKey(one.clone()))
    }
}

/// Of several with one key the last stays, in the place of the first.
pub(super) fn deduplicate(list: &mut Vec<Arc<Dependency>>) {
    let mut places: HashMap<ByKey, usize> = HashMap::new();
    let mut kept: Vec<Arc<Dependency>> = Vec::with_capacity(list.len());
    for one in list.drain(..) {
        match places.entry(ByKey(one.clone())) {
            Entry::Occupied(place) => kept[*place.get()] = one,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(one);
            }
        }
    }
    *list = kept;
}

/// A dependency among others by what management finds it by.
pub(super) struct ByKey(Arc<Dependency>);

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for ByKey {}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key().hash(state);
    }
}

/// Fills in what a dependency leaves open. Whether it is optional is not managed.
pub(super) fn manage(dependencies: &mut [Arc<Dependency>], managed: &[Arc<Dependency>]) {
    let mut places: HashMap<_, Vec<usize>> = HashMap::new();
    for (place, one) in dependencies.iter().enumerate() {
        places.entry(one.key()).or_default().push(place);
    }
    let mut found = Vec::new();
    for one in managed {
        let wanted = places.get(&one.key()).into_iter().flatten();
        found.extend(wanted.map(|place| (*place, one)));
    }
    for (place, managed) in found {
        let dependency = Arc::make_mut(&mut dependencies[place]);
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
