//! When that happened which made the addresses of a service change, as an annotation tells it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::facts::{Key, Object};

/// The annotation, of `Endpoints` and of slices.
pub(crate) const ANNOTATION: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// When pods last became ready or stopped to be, by their names.
pub(crate) type Times = HashMap<String, Timestamp>;

/// What was known of each service when it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Triggers(HashMap<Key, Times>);

pub(crate) fn times(pods: &[&Object]) -> Times {
    pods.iter()
        .filter_map(|object| Some((object.key.name.clone(), object.pod()?.readiness_since?)))
        .collect()
}

impl Triggers {
    /// The first thing that changed since the service was last looked at, of a new one its creation.
    pub(crate) fn look(
        &mut self,
        service: &Key,
        created: Timestamp,
        now: Times,
    ) -> Option<Timestamp> {
        let Some(before) = self.0.get(service) else {
            self.0.insert(service.clone(), now);
            return Some(created);
        };
        let later = |(name, time): &(&String, &Timestamp)| before.get(*name) < Some(*time);
        let changed = now.iter().filter(later).map(|(_, time)| *time).min();
        self.0.insert(service.clone(), now);
        changed
    }

    pub(crate) fn forget(&mut self, service: &Key) {
        self.0.remove(service);
    }
}

/// Sets the annotation, or takes it away.
pub(crate) fn annotate(
    annotations: &mut Option<BTreeMap<String, String>>,
    time: Option<Timestamp>,
) {
    if let Some(time) = time {
        annotations.get_or_insert_default().insert(ANNOTATION.to_owned(), time.to_string());
    } else if let Some(known) = annotations {
        known.remove(ANNOTATION);
        if known.is_empty() {
            *annotations = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }

    #[test]
    fn the_first_change_since_the_last_look_counts() {
        let mut triggers = Triggers::default();
        let key = Key::new("ns", "s");
        let of = |pairs: &[(&str, i64)]| {
            pairs.iter().map(|(name, time)| ((*name).to_owned(), at(*time))).collect()
        };
        assert_eq!(triggers.look(&key, at(1), of(&[("a", 5)])), Some(at(1)));
        assert_eq!(triggers.look(&key, at(1), of(&[("a", 5)])), None);
        assert_eq!(triggers.look(&key, at(1), of(&[("a", 9), ("b", 7)])), Some(at(7)));
        assert_eq!(triggers.look(&key, at(1), of(&[])), None);
        triggers.forget(&key);
        assert_eq!(triggers.look(&key, at(2), of(&[])), Some(at(2)));
    }
}
