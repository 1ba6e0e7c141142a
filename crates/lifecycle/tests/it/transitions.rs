use std::{fmt::Write as _, fs, path::Path};

use flumen_lifecycle::{
    Action, ActionFailure, Desired, EndStep, Finding, JobManagerContact, SavepointStep, StartStep,
    State, Status, decide, record,
};
use flumen_model::Kind;

use crate::situations::{NOW, RUN, at, operation, situations, states, wishes};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/transitions.md");

#[test]
fn the_table_in_the_docs_is_what_the_code_decides() {
    let table = page();
    if fs::read_to_string(PAGE).is_ok_and(|known| known == table) {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transitions.md");
    fs::write(&new, table).unwrap();
    unreachable!(
        "docs/generated/transitions.md is not what the code decides; if the change is meant: cp {} docs/generated/transitions.md",
        new.display()
    );
}

#[test]
fn nothing_is_done_to_a_cluster_that_does_not_answer_unless_it_was_begun_before() {
    let away = situations().into_iter().find(|(seen, _)| *seen == "cluster does not answer");
    let (_, observed) = away.unwrap();
    for (name, status) in states() {
        let in_cluster = name.starts_with("live") || name == "starting: JobManager";
        for (_, desired) in wishes(&status).into_iter().filter(|_| in_cluster) {
            let decision = decide(&desired, &status, &observed, at(NOW));
            assert_eq!(decision.actions, [], "{name}");
            assert_eq!(decision.status.state, status.state, "{name}");
        }
    }
}

#[test]
fn a_decision_that_is_taken_again_asks_for_the_same_actions() {
    for (name, status) in states() {
        for (wish, desired) in wishes(&status) {
            for (seen, observed) in situations() {
                let first = decide(&desired, &status, &observed, at(NOW));
                if first.actions.is_empty() {
                    continue;
                }
                // As after a crash between storing the decision and acting on it.
                let again = decide(&desired, &first.status, &observed, at(NOW + 1));
                assert_eq!(again.actions, first.actions, "{name}, {wish}, {seen}");
            }
        }
    }
}

fn page() -> String {
    let mut text = String::from(
        "# Transitions\n\nMade from the code by a test of `flumen-lifecycle`; see [lifecycle.md](../lifecycle.md) for the words.\n\n\
         ## What is decided\n\n\
         For each state, what is wanted and what is seen: the state to store, and the actions to carry out, in order.\n\n\
         | state | wanted | seen | next state | actions |\n| --- | --- | --- | --- | --- |\n",
    );
    for (name, status) in states() {
        for (wish, rows) in by_wish(&status) {
            for Row { seen, next, actions } in rows {
                writeln!(text, "| {name} | {wish} | {seen} | {next} | {actions} |").unwrap();
            }
        }
    }
    text.push_str(
        "\n## What the result of an action changes\n\n\
         | state | action | done | failed, may get better | failed for good |\n| --- | --- | --- | --- | --- |\n",
    );
    for (name, status) in states() {
        for (action, finding, found) in actions_of(&status) {
            let after = |kind: Option<Kind>| {
                let failure = kind.map(|kind| ActionFailure { kind, message: String::new() });
                let result = failure.as_ref().map_or(Ok(&finding), Err);
                let next = record(&status, action, result, at(NOW));
                if next == status { "stays".to_owned() } else { told(&next) }
            };
            let (done, again, never) =
                (after(None), after(Some(Kind::Unavailable)), after(Some(Kind::Denied)));
            writeln!(text, "| {name} | {}{found} | {done} | {again} | {never} |", action.name())
                .unwrap();
        }
    }
    text
}

#[derive(PartialEq)]
struct Row {
    seen: String,
    next: String,
    actions: String,
}

/// Wishes that lead to the same are told together.
fn by_wish(status: &Status) -> Vec<(String, Vec<Row>)> {
    let mut all: Vec<(String, Vec<Row>)> = Vec::new();
    for (wish, desired) in wishes(status) {
        let rows = rows(&desired, status);
        match all.iter_mut().find(|(_, known)| *known == rows) {
            Some((wishes, _)) => *wishes = format!("{wishes}, {wish}"),
            None => all.push((wish.to_owned(), rows)),
        }
    }
    all
}

/// Situations that lead to the same are one row, and those that are most come last, as the rest.
fn rows(desired: &Desired, status: &Status) -> Vec<Row> {
    let mut groups: Vec<(Vec<&str>, String, String)> = Vec::new();
    for (seen, observed) in situations() {
        let decision = decide(desired, status, &observed, at(NOW));
        let mark = if decision.status.unreachable_since.is_some() { ", unreachable" } else { "" };
        let savepoint = match &decision.status.savepoint {
            known if *known == status.savepoint => String::new(),
            Some(known) => format!(", savepoint: {}", step_word(&known.step)),
            None => ", no savepoint".to_owned(),
        };
        let mark = format!("{mark}{savepoint}");
        let next = match (&decision.status.state, &observed.job_manager) {
            (State::Live { flink, .. }, JobManagerContact::Answers { job: Some(job) })
                if *flink == job.state && decision.status.unreachable_since.is_none() =>
            {
                format!("live: as Flink says{mark}")
            }
            (state, _) if *state == status.state => format!("stays{mark}"),
            (state, _) => format!("{}{mark}", short(state)),
        };
        let names: Vec<_> = decision.actions.iter().map(|action| action.name()).collect();
        let actions = names.join(", ");
        match groups.iter_mut().find(|(_, other, does)| (other, does) == (&next, &actions)) {
            Some((situations, ..)) => situations.push(seen),
            None => groups.push((vec![seen], next, actions)),
        }
    }
    let most = groups.iter().map(|(seen, ..)| seen.len()).max();
    if let Some(rest) = groups.iter().position(|(seen, ..)| Some(seen.len()) == most) {
        let (_, next, actions) = groups.remove(rest);
        let rest = if groups.is_empty() { "anything" } else { "anything else" };
        groups.push((vec![rest], next, actions));
    }
    let row =
        |(seen, next, actions): (Vec<&str>, _, _)| Row { seen: seen.join("; "), next, actions };
    groups.into_iter().map(row).collect()
}

fn short(state: &State) -> String {
    match state {
        State::New => "new".to_owned(),
        State::Starting { step, .. } => format!("starting: {}", word(step)),
        State::Live { flink, .. } => format!("live: {}", word(flink)),
        State::Ending { outcome, step, .. } => {
            format!("ending as {outcome:?}: {}", word(step)).to_lowercase()
        }
        State::Ended { .. } => "ended".to_owned(),
        State::Deleted => "deleted".to_owned(),
    }
}

fn told(status: &Status) -> String {
    match &status.savepoint {
        Some(known) => format!("savepoint: {}", step_word(&known.step)),
        None => short(&status.state),
    }
}

fn step_word(step: &SavepointStep) -> String {
    serde_json::to_value(step).unwrap()["name"].as_str().unwrap().to_owned()
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// The actions that end the state, with what they find and how that is told.
fn actions_of(status: &Status) -> Vec<(Action, Finding, &'static str)> {
    let (run, operation) = (RUN, operation());
    let one = |action| vec![(action, Finding::Nothing, "")];
    match (&status.state, status.savepoint.as_ref().map(|known| &known.step)) {
        (State::Starting { step, .. }, _) => match step {
            StartStep::Snapshot => one(Action::LocateSnapshot { run }),
            StartStep::Image => one(Action::BuildImage { run }),
            StartStep::Render => one(Action::RenderObjects { run }),
            StartStep::Leftovers => one(Action::RemoveLeftovers { run }),
            StartStep::Create => one(Action::CreateObjects { run }),
            StartStep::JobManager => vec![],
        },
        (State::Live { .. }, Some(SavepointStep::Trigger)) => {
            let trigger = Finding::Trigger("t".to_owned());
            vec![(Action::TriggerSavepoint { run, operation }, trigger, "")]
        }
        (State::Live { .. }, Some(SavepointStep::Search)) => {
            let action = Action::FindSavepoint { run, operation };
            let found = Finding::Savepoint(Some("file:/savepoints/1".to_owned()));
            vec![(action, found, ": found"), (action, Finding::Savepoint(None), ": not there")]
        }
        (State::Live { .. }, None) => one(Action::CancelJob { run }),
        (State::Ending { step, .. }, _) => match step {
            EndStep::Save => one(Action::SaveOutcome { run }),
            EndStep::Delete => one(Action::DeleteDeployment { run }),
            EndStep::Pods => vec![],
            EndStep::HighAvailability => one(Action::DeleteHighAvailabilityData { run }),
        },
        (State::Deleted, _) => one(Action::Forget),
        (State::New | State::Live { .. } | State::Ended { .. }, _) => vec![],
    }
}
