//! What differs between Flink's minors in how configuration is read, written and computed, as data: one
//! constant for each thing that is there only since or only until a minor. The table in the
//! documentation is made from [`ALL`].

use flumen_model::FlinkMinor;

/// Something that Flink does in some minors only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// What it is, for people.
    pub what: &'static str,
    /// The first minor that has it.
    pub since: FlinkMinor,
    /// The last minor that has it, if it went away again.
    pub until: Option<FlinkMinor>,
}

impl Feature {
    /// Something that is there from this minor on.
    pub const fn since(major: u16, minor: u16, what: &'static str) -> Self {
        Self { what, since: FlinkMinor::new(major, minor), until: None }
    }

    /// Something that was there from the first minor on and up to this one.
    pub const fn until(major: u16, minor: u16, what: &'static str) -> Self {
        Self { what, since: FlinkMinor::new(1, 11), until: Some(FlinkMinor::new(major, minor)) }
    }

    /// Whether a Flink of this minor has it.
    pub fn is_in(&self, minor: FlinkMinor) -> bool {
        self.since <= minor && self.until.is_none_or(|last| minor <= last)
    }
}

macro_rules! features {
    ($($name:ident = $when:ident $major:literal . $minor:literal : $what:literal;)*) => {
        $(
            #[doc = $what]
            pub(crate) const $name: Feature = Feature::$when($major, $minor, $what);
        )*

        /// Every feature, by name.
        pub const ALL: &[(&str, Feature)] = &[$((stringify!($name), $name)),*];
    };
}

features! {
    LEGACY_FILE = until 1 . 20: "`flink-conf.yaml` is read, a line for each key, nothing quoted";
    STANDARD_FILE = since 1 . 19: "`config.yaml` is read, a YAML 1.2 document; it is what is written";
    LISTS_OF_MAPS_IN_YAML = since 2 . 0: "the parts of a list that is no YAML may be YAML themselves";
    MAP_ENTRIES = since 1 . 14: "a map is read from keys below its own too (`labels.team: a`)";
    MINUTES_BY_M = since 1 . 15: "`m` alone means minutes";
    DAYS_WRITTEN = since 1 . 18: "whole days are written as days, before in milliseconds";
    LONG_DURATIONS = since 2 . 0: "the number of a duration may be larger than 64 bits hold, if the duration is not";
    ISO_DURATIONS = since 2 . 1: "durations may be written as in ISO 8601 (`PT10S`)";
    ADDRESSES_SHIPPED = until 1 . 14: "bind addresses of the client are written into the pods' file";
    OLD_SIZES = until 1 . 20: "`jobmanager.heap.size`, `taskmanager.heap.size` and `taskmanager.network.numberOfBuffers` count";
    JOB_MANAGER_PARAMETERS = since 1 . 12: "the JobManager is given its memory as parameters";
    ALL_SIZES_AS_PARAMETERS = since 1 . 12: "the JVM's own memory is among the parameters of a TaskManager";
    SLOTS_AS_PARAMETERS = since 1 . 13: "slots and external resources are among the parameters of a TaskManager";
    QUOTED_RESOURCES = since 1 . 15: "the names of external resources stand in quotes there";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_in_the_minors_from_its_first_to_its_last() {
        let count = |feature: Feature| {
            FlinkMinor::SUPPORTED.into_iter().filter(|minor| feature.is_in(*minor)).count()
        };
        assert_eq!((count(LEGACY_FILE), count(STANDARD_FILE)), (10, 6));
        assert_eq!((count(MAP_ENTRIES), count(ADDRESSES_SHIPPED)), (11, 4));
    }
}
