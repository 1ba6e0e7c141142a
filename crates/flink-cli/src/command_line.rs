//! Arguments to options, as the library does it that Flink's client uses (commons-cli, its
//! `DefaultParser`): options with one hyphen and several letters, beginnings of long names, values glued
//! to their option, and everything behind the first argument left to the program.

mod parser;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::{options::CliOption, yarn};

/// What was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandLine {
    given: Vec<Given>,
    /// What is no option: a jar and its arguments, or a job's id.
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Clone)]
struct Given {
    option: &'static CliOption,
    values: Vec<String>,
}

/// Why arguments are not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No option of this name.
    #[error("Unrecognized option: {token}")]
    Unrecognized {
        /// As it was given.
        token: String,
    },
    /// A value is missing.
    #[error("Missing argument for option: {option}")]
    MissingArgument {
        /// The option's short name.
        option: &'static str,
    },
    /// The beginning of several long names.
    #[error("Ambiguous option: '{token}' (could be: {matching})")]
    Ambiguous {
        /// As it was given.
        token: String,
        /// What it may mean.
        matching: String,
    },
    /// An option of YARN.
    #[error("{option} is an option for YARN, which Flumen does not deploy to. {instead}")]
    Yarn {
        /// As it was given.
        option: String,
        /// What works.
        instead: &'static str,
    },
}

impl CommandLine {
    /// Reads arguments. With `stop_at_arguments` options end at the first argument, or at the first thing
    /// that looks like an option and is none.
    pub(crate) fn parse(
        options: &[&'static CliOption],
        arguments: &[String],
        stop_at_arguments: bool,
    ) -> Result<Self, Refusal> {
        let mut parser = parser::Parser::new(options, stop_at_arguments);
        for token in arguments {
            if !parser.is_done()
                && let Some(option) = yarn::option(token)
                && !parser.knows(option.trim_start_matches('-'))
            {
                let option = option.to_owned();
                return Err(Refusal::Yarn { option, instead: yarn::INSTEAD });
            }
            parser.take(token)?;
        }
        parser.finish()
    }

    /// Whether the option of this short name was given.
    pub(crate) fn has(&self, short: &str) -> bool {
        self.given.iter().any(|given| given.option.short == short)
    }

    /// The first value that was given for the option.
    pub(crate) fn value(&self, short: &str) -> Option<&str> {
        let given = self.given.iter().filter(|given| given.option.short == short);
        given.flat_map(|given| given.values.iter()).next().map(String::as_str)
    }

    /// All values of the option, however often it was given.
    pub(crate) fn values<'a>(&'a self, short: &'a str) -> impl Iterator<Item = &'a str> {
        let of = move |given: &&Given| given.option.short == short;
        self.given.iter().filter(of).flat_map(|given| given.values.iter().map(String::as_str))
    }

    /// What `-D` says: the last value of a key counts, and no value means `true`.
    pub(crate) fn properties(&self) -> BTreeMap<&str, &str> {
        let given = self.given.iter().filter(|given| given.option.short == "D");
        given
            .filter_map(|given| {
                let key = given.values.first()?.as_str();
                Some((key, given.values.get(1).map_or("true", String::as_str)))
            })
            .collect()
    }

    /// The options in the order in which they were given, with their first value.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&'static CliOption, Option<&str>)> {
        self.given.iter().map(|given| (given.option, given.values.first().map(String::as_str)))
    }
}
