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
    differences::{Differences, Extent},
    record, run,
    text::{diff, render},
};

/// The cases, what the real server answered, and where the local cluster means to differ.
pub struct Suite {
    directory: PathBuf,
    /// What the names of the cases that are run contain.
    filter: String,
    areas: Vec<(String, Vec<Case>)>,
    answers: BTreeMap<String, Value>,
    differences: Differences,
    rounds: AtomicUsize,
}

/// What came of running the suite.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cases that were answered as recorded.
    pub passed: usize,
    /// Cases that differ although the file of differences has them.
    pub intended: usize,
    /// Cases that differ and are yet to be mended, as the file says.
    pub open: usize,
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
            "conformance: {} passed, {} failed, {} intended differences, {} to be mended",
            self.passed,
            self.failed.len(),
            self.intended,
            self.open
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
            answers
                .extend(record.into_iter().map(|(name, value)| (format!("{area}/{name}"), value)));
        }
        let names: Vec<&str> =
            areas.iter().flat_map(|(_, cases)| cases).map(|case| case.name.as_str()).collect();
        let differences = Differences::read(&directory.join("differences.yaml"), &names)?;
        Ok(Self {
            filter: filter.to_owned(),
            directory,
            areas,
            answers,
            differences,
            rounds: AtomicUsize::new(0),
        })
    }

    /// Asks a server, and compares with the record. `lenient` says whether it may differ where the file says so.
    ///
    /// # Errors
    /// If the server cannot be asked at all.
    pub async fn compare(&self, target: &Target, lenient: bool) -> Result<Outcome> {
        if let Some(stale) = self.answers.keys().find(|name| !self.knows(name)) {
            bail!("a record is of no case: {stale}; record again");
        }
        let cases = self.selected();
        let mut outcome = Outcome::default();
        for (case, found) in
            cases.iter().zip(run::run_all(target, &cases, self.next_round()).await?)
        {
            let allowed = self.differences.of(&case.name).filter(|_| lenient);
            match (self.judge(case, found), allowed) {
                (Judgement::Same, None) => outcome.passed += 1,
                (Judgement::Words(_), Some((Extent::Words, _)))
                | (Judgement::Words(_) | Judgement::Answer(_), Some((Extent::Answer, _))) => {
                    outcome.intended += 1;
                }
                (Judgement::Words(_) | Judgement::Answer(_), Some((Extent::Open, _))) => {
                    outcome.open += 1;
                }
                (Judgement::Same, Some((_, reason))) => {
                    let why = format!("no longer differs, but differences.yaml says: {reason}\n");
                    outcome.failed.push((case.name.clone(), why));
                }
                (Judgement::Words(why) | Judgement::Answer(why), _) => {
                    outcome.failed.push((case.name.clone(), why));
                }
            }
        }
        Ok(outcome)
    }

    fn judge(&self, case: &Case, found: Result<Vec<Value>>) -> Judgement {
        let found = match found {
            Ok(found) => Value::Array(found),
            Err(error) => return Judgement::Answer(format!("{error:#}\n")),
        };
        let Some(expected) = self.answers.get(&case.name) else {
            return Judgement::Answer("it was never recorded\n".to_owned());
        };
        if *expected == found {
            return Judgement::Same;
        }
        let why = diff(&render(expected), &render(&found));
        let only_words = without_words(expected.clone()) == without_words(found);
        if only_words {
            Judgement::Words(format!("(only words differ)\n{why}"))
        } else {
            Judgement::Answer(why)
        }
    }

    fn selected(&self) -> Vec<&Case> {
        let all = self.areas.iter().flat_map(|(_, cases)| cases);
        all.filter(|case| case.name.contains(&self.filter)).collect()
    }

    fn knows(&self, name: &str) -> bool {
        self.areas.iter().any(|(_, cases)| cases.iter().any(|case| case.name == name))
    }

    fn next_round(&self) -> usize {
        self.rounds.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks the real server, and records what it answers to the cases.
    ///
    /// # Errors
    /// If a case cannot be run, or a record cannot be written.
    pub async fn record(&mut self, target: &Target, version: &str) -> Result<usize> {
        let cases = self.selected();
        let mut failures = Vec::new();
        let mut recorded = Vec::new();
        for (case, found) in
            cases.iter().zip(run::run_all(target, &cases, self.next_round()).await?)
        {
            match found {
                Ok(answers) => recorded.push((case.name.clone(), Value::Array(answers))),
                Err(error) => failures.push(format!("{}: {error:#}", case.name)),
            }
        }
        let count = recorded.len();
        self.answers.extend(recorded);
        let known: Vec<String> =
            self.answers.keys().filter(|name| self.knows(name)).cloned().collect();
        self.answers.retain(|name, _| known.contains(name));
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

/// How an answer compares with the record; why not the same line by line.
enum Judgement {
    Same,
    /// Only messages differ.
    Words(String),
    Answer(String),
}

/// An answer without its messages, in objects and in parts that were picked out of them.
fn without_words(answer: Value) -> Value {
    match answer {
        Value::Array(items) => items.into_iter().map(without_words).collect(),
        Value::Object(map) => {
            let kept =
                map.into_iter().filter(|(key, _)| !matches!(key.as_str(), "message" | "/message"));
            Value::Object(kept.map(|(key, value)| (key, without_words(value))).collect())
        }
        other => other,
    }
}
