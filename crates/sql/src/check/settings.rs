//! `SET` against the option catalogue.

use flumen_flink_conf::{Catalogue, Configuration, Strictness, shown_value};
use flumen_model::{FlinkMinor, FlinkVersion};

use super::{Finding, Problem, Target};
use crate::{Script, Setting, Statement, StatementKind, TokenKind, setting::is_comment};

/// Options that Flink reads when the cluster starts.
const OF_CLUSTER: [&str; 9] = [
    "blob.",
    "env.",
    "high-availability",
    "jobmanager.",
    "kubernetes.",
    "process.",
    "rest.",
    "security.",
    "taskmanager.",
];
/// Options that are in no catalogue of a job: Flink's own client reads them.
const OF_CLIENT: &str = "sql-client.";

pub(super) fn check(script: &Script<'_>, target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in script.statements() {
        if statement.kind != StatementKind::Set {
            continue;
        }
        let problems = match Setting::of(script, statement) {
            Setting::List => Vec::new(),
            Setting::Malformed => vec![Problem::MalformedSetting],
            Setting::Pair { key, value, is_quoted } => {
                let mut problems = of_pair(&key, &value, target);
                if !is_quoted && value.starts_with('\'') {
                    let value = shown_value(&key, &value);
                    problems.push(Problem::QuotesInValue { key: key.clone(), value });
                }
                if !is_quoted && is_beside_comment(script, statement) {
                    problems.push(Problem::SettingBesideComment { key });
                }
                problems
            }
        };
        findings.extend(problems.into_iter().map(|problem| problem.at(statement.start)));
    }
    findings
}

fn of_pair(key: &str, value: &str, target: &Target) -> Vec<Problem> {
    if key.starts_with(OF_CLIENT) {
        return Vec::new();
    }
    let minor = minor(key, target);
    let mut configuration = Configuration::new(minor);
    configuration.set_text(key, value);
    let found = flumen_flink_conf::check(&configuration, Strictness::JobFile);
    // What the file of old versions cannot hold does not matter: nothing is written to a file.
    let unwritable = |finding: &flumen_flink_conf::Finding| {
        matches!(finding.problem, flumen_flink_conf::Problem::Unwritable { .. })
    };
    let mut problems: Vec<Problem> =
        found.into_iter().filter(|it| !unwritable(it)).map(Problem::Setting).collect();
    let catalogue = Catalogue::of(minor);
    let is_known = catalogue.find(key).is_some();
    if problems.is_empty() && !is_known && has_family(catalogue, key) {
        problems.push(Problem::UnknownKey { key: key.to_owned(), minor });
    }
    if is_known && OF_CLUSTER.iter().any(|prefix| key.starts_with(prefix)) {
        problems.push(Problem::ClusterOption { key: key.to_owned() });
    }
    problems
}

/// The minor whose options count: the one that is wanted, else the newest that knows the key.
fn minor(key: &str, target: &Target) -> FlinkMinor {
    let newest = FlinkMinor::SUPPORTED[FlinkMinor::SUPPORTED.len() - 1];
    let wanted = target.version.map(FlinkVersion::minor);
    wanted.or_else(|| Catalogue::minors_with(key).last().copied()).unwrap_or(newest)
}

/// Whether Flink has options under the first word of the key, all of whose names it knows.
fn has_family(catalogue: Catalogue, key: &str) -> bool {
    const FAMILIES: [&str; 6] =
        ["execution.", "pipeline.", "state.", "table.", "restart-strategy.", "parallelism."];
    let family = FAMILIES.iter().find(|family| key.starts_with(**family));
    family.is_some_and(|family| catalogue.iter().any(|option| option.key.starts_with(family)))
}

/// Whether a comment stands between the statement before and this one, or behind it on its line: Flink's
/// own client hands over the text with it.
fn is_beside_comment(script: &Script<'_>, statement: &Statement) -> bool {
    let tokens = script.tokens();
    let before = tokens[..statement.tokens.start].iter().rev();
    let mut before = before.take_while(|token| token.kind != TokenKind::Semicolon);
    let after = tokens[statement.tokens.end..].iter();
    let mut after = after.take_while(|token| {
        let is_break = token.kind == TokenKind::Space && script.token_text(token).contains('\n');
        !is_break && (!token.is_significant() || token.kind == TokenKind::Semicolon)
    });
    before.any(is_comment) || after.any(is_comment)
}
