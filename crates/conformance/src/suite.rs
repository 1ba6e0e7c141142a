//! All cases with what was recorded of them, and what comes of running them.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{
    Target,
    case::{self, Case},
    differences, record, run,
    text::{diff, render},
};

/// The cases, what the real server answered, and where the local cluster means to differ.
pub struct Suite {
    directory: PathBuf,
    /// What the names of the cases that are run contain.
    filter: String,
    areas: Vec<(String, Vec<Case>)>,
    answers: BTreeMap<String, Value>,
    intended: BTreeMap<String, String>,
    rounds: AtomicUsize,
}

/// What came of running the suite.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cases that were answered as recorded.
    pub passed: usize,
    /// Cases that differ although the file of differences has them.
    pub intended: usize,
    /// Of each case that failed its name and why.
    pub failed: Vec<(String, String)>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, why) in &self.failed {
            writeln!(formatter, "FAILED {name}\n{why}")?;
        }
        write!(
            formatter,
            "conformance: {} passed, {} failed, {} intended differences",
            self.passed,
            self.failed.len(),
            self.intended
        )
    }
}

impl Suite {
    /// Reads cases, records and differences; of the cases only those whose name contains the filter.
    ///
    /// # Errors
    /// If a file cannot be read or makes no sense.
    pub fn read(filter: &str) -> Result<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        let areas = case::read_all(&directory.join("cases"))?;
        let mut answers = BTreeMap::new();
        for (area, _) in &areas {
            let record = record::read(&directory.join("records"), area)?;
            answers.extend(record.into_iter().map(|(name, value)| (format!("{area}/{name}"), value)));
        }
        let intended = differences::read(&directory.join("differences.yaml"))?;
        let known = |name: &String| areas.iter().any(|(_, cases)| cases.iter().any(|case| case.name == *name));
        if let Some(stale) = answers.keys().find(|name| !known(name)) {
            bail!("a record is of no case: {stale}; record again");
        }
        if let Some(stale) = intended.keys().find(|name| !known(name)) {
            bail!("differences.yaml names no case: {stale}");
        }
        Ok(Self {
            filter: filter.to_owned(),
             directory,
            areas,
            answers,
            intended,
            rounds: AtomicUsize::new(0),
        })
    }

    /// Asks a server, and compares with the record. `intended` says whether differences are looked for that are meant.
    ///
    /// # Errors
    /// If the server cannot be asked at all.
    pub async fn compare(&self, target: &Target, intended: bool) -> Result<Outcome> {
        let cases = self.selected();
        let mut outcome = Outcome::default();
        for (case, found) in cases.iter().zip(run::run_all(target, &cases, self.next_round()).await?) {
            let reason = self.intended.get(&case.name).filter(|_| intended);
            match (self.judge(case, found), reason) {
                (Ok(()), None) => outcome.passed += 1,
                (Err(_), Some(_)) => outcome.intended += 1,
                (Ok(()), Some(reason)) => {
                    let why = format!("no longer differs, but differences.yaml says: {reason}\n");
                    outcome.failed.push((case.name.clone(), why));
                }
                (Err(why), None) => outcome.failed.push((case.name.clone(), why)),
            }
        }
        Ok(outcome)
    }

    fn selected(&self) -> Vec<&Case> {
        let all = self.areas.iter().flat_map(|(_, cases)| cases);
        all.filter(|case| case.name.contains(&self.filter)).collect()
    }

    fn next_round(&self) -> usize {
        self.rounds.fetch_add(1, Ordering::Relaxed)
    }

    fn judge(&self, case: &Case, found: Result<Vec<Value>>) -> Result<(), String> {
        let found = Value::Array(found.map_err(|error| format!("{error:#}\n"))?);
        let Some(expected) = self.answers.get(&case.name) else {
            return Err("it was never recorded\n".to_owned());
        };
        if *expected == found {
            return Ok(());
        }
        Err(diff(&render(expected), &render(&found)))
    }

    /// Asks the real server, and records what it answers to the cases.
    ///
    /// # Errors
    /// If a case cannot be run, or a record cannot be written.
    pub async fn record(&mut self, target: &Target, version: &str) -> Result<usize> {
        let cases = self.selected();
        let mut failures = Vec::new();
        for (case, found) in cases.iter().zip(run::run_all(target, &cases, self.next_round()).await?) {
            match found {
                Ok(answers) => {
                    self.answers.insert(case.name.clone(), answers.into());
                }
                Err(error) => failures.push(format!("{}: {error:#}", case.name)),
            }
        }
        let count = cases.len();
        for (area, cases) in &self.areas {
            let names = cases.iter().filter_map(|case| case.name.strip_prefix(&format!("{area}/")));
            let answers: Vec<(&str, &Value)> = names
                .filter_map(|name| Some((name, self.answers.get(&format!("{area}/{name}"))?)))
                .collect();
            record::write(&self.directory.join("records"), area, version, &answers)?;
        }
        if failures.is_empty() { Ok(count) } else { bail!("{}", failures.join("\n")) }
    }
}
