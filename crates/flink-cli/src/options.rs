//! Every option of every action of Flink's client, with the minors that have it and what becomes of it
//! here. The parser, `--help` and the table in docs/flink-drop-in.md are made from this.

mod table;

use flumen_model::FlinkMinor;

pub(crate) use table::{ACTIONS, OPTIONS};

/// What the client can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Run,
    RunApplication,
    Info,
    List,
    Stop,
    Cancel,
    Savepoint,
    Checkpoint,
    /// `kubernetes-session.sh`, which has the general options only.
    Session,
}

/// An action as a user writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActionEntry {
    pub(crate) action: Action,
    pub(crate) name: &'static str,
    /// What stands behind the name, for help.
    pub(crate) syntax: &'static str,
    /// What it does, for help.
    pub(crate) about: &'static str,
    since: FlinkMinor,
    until: Option<FlinkMinor>,
}

impl ActionEntry {
    /// Whether a Flink of this minor has it.
    pub(crate) fn is_in(&self, minor: FlinkMinor) -> bool {
        self.since <= minor && self.until.is_none_or(|last| minor <= last)
    }
}

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    None,
    One(&'static str),
    /// One, or none.
    Optional(&'static str),
    /// As many as come.
    Many(&'static str),
    /// `key=value`.
    Property,
}

/// An option of one or more actions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CliOption {
    pub(crate) actions: &'static [Action],
    /// Behind one hyphen; may have more than one letter.
    pub(crate) short: &'static str,
    /// Behind two hyphens.
    pub(crate) long: Option<&'static str>,
    pub(crate) argument: Argument,
    pub(crate) since: FlinkMinor,
    pub(crate) until: Option<FlinkMinor>,
    /// What Flumen does with it.
    pub(crate) does: &'static str,
}

impl CliOption {
    /// Whether a Flink of this minor has it.
    pub(crate) fn is_in(&self, minor: FlinkMinor) -> bool {
        self.since <= minor && self.until.is_none_or(|last| minor <= last)
    }

    /// How many values it takes; none for any number.
    pub(crate) const fn values(&self) -> Option<usize> {
        match self.argument {
            Argument::None => Some(0),
            Argument::One(_) | Argument::Optional(_) => Some(1),
            Argument::Property => Some(2),
            Argument::Many(_) => None,
        }
    }

    /// As it is shown: `-c, --class <classname>`.
    pub(crate) fn shown(&self) -> String {
        let long = self.long.map(|long| format!(", --{long}")).unwrap_or_default();
        let argument = match self.argument {
            Argument::None => String::new(),
            Argument::One(name) => format!(" <{name}>"),
            Argument::Optional(name) => format!(" [<{name}>]"),
            Argument::Many(name) => format!(" <{name}>…"),
            Argument::Property => " <key=value>".to_owned(),
        };
        format!("-{}{long}{argument}", self.short)
    }
}

/// The options that an action of this minor knows, its own before the general ones.
pub(crate) fn of_action(action: Action, minor: FlinkMinor) -> Vec<&'static CliOption> {
    let fits = |option: &&CliOption| option.actions.contains(&action) && option.is_in(minor);
    OPTIONS.iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_action_has_two_options_of_one_name_in_one_minor() {
        for minor in FlinkMinor::SUPPORTED {
            for entry in ACTIONS {
                let options = of_action(entry.action, minor);
                for (index, one) in options.iter().enumerate() {
                    let same = |other: &&&CliOption| {
                        other.short == one.short || (one.long.is_some() && other.long == one.long)
                    };
                    assert_eq!(options[index + 1..].iter().find(same).map(|it| it.short), None);
                }
            }
        }
    }

    /// Options of other parts of the client that the recording does not have.
    const NOT_RECORDED: [&str; 2] = ["m", "z"];

    #[test]
    fn every_option_of_the_real_client_is_here_in_the_minors_that_have_it_and_no_other() {
        let mut known = BTreeSet::new();
        for minor in FlinkMinor::SUPPORTED {
            for entry in ACTIONS.iter().filter(|entry| entry.is_in(minor)) {
                known.insert((format!("action {}", entry.name), minor));
                for option in of_action(entry.action, minor) {
                    let recorded = entry.name != "run-application";
                    let (general, long) = (is_general(option), option.long.unwrap_or_default());
                    if recorded && !NOT_RECORDED.contains(&option.short) {
                        let of = if general { "generic" } else { entry.name };
                        let kind = kind(option.argument);
                        known.insert((format!("{of} {} {long} {kind}", option.short), minor));
                    }
                }
            }
        }
        let recorded: BTreeSet<_> = include_str!("../tests/data/client-options.tsv")
            .lines()
            .flat_map(|line| {
                let (what, minors) = line.rsplit_once('\t').expect("a last column");
                let what = what.replace('\t', " ");
                minors.split(' ').map(move |minor| (what.clone(), minor.parse().expect("a minor")))
            })
            .collect();
        let more: Vec<_> = known.difference(&recorded).collect();
        let fewer: Vec<_> = recorded.difference(&known).collect();
        assert!(more.is_empty() && fewer.is_empty(), "too many: {more:?}; missing: {fewer:?}");
    }

    fn is_general(option: &CliOption) -> bool {
        ["t", "e", "D"].contains(&option.short)
    }

    fn kind(argument: Argument) -> &'static str {
        match argument {
            Argument::None => "none",
            Argument::One(_) | Argument::Property => "one",
            Argument::Optional(_) => "optional",
            Argument::Many(_) => "many",
        }
    }

    #[test]
    fn run_application_went_away_with_2_0() {
        let has = |minor: FlinkMinor| {
            ACTIONS.iter().any(|it| it.name == "run-application" && it.is_in(minor))
        };
        assert!(has(FlinkMinor::new(1, 20)) && !has(FlinkMinor::new(2, 0)));
    }
}
