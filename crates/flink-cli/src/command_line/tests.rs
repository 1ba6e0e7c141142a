//! The parser against what Flink's own makes of the same arguments.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{CommandLine, Refusal};
use crate::options::{ACTIONS, Action, of_action};

const RECORDED: &str = include_str!("../../tests/data/command-lines.tsv");

fn parse(action: &str, arguments: &[String]) -> Result<CommandLine, Refusal> {
    let minor = "1.20".parse().expect("a minor");
    let entry = ACTIONS.iter().find(|entry| entry.name == action).expect("an action");
    let stops = matches!(entry.action, Action::Run | Action::RunApplication | Action::Info);
    CommandLine::parse(&of_action(entry.action, minor), arguments, stops)
}

/// In the form of the recording, which is that of Java's collections.
fn shown(line: &CommandLine) -> String {
    let mut given: BTreeMap<&str, String> = BTreeMap::new();
    for (option, _) in line.in_order().filter(|(option, _)| option.short != "D") {
        let values: Vec<_> = line.values(option.short).collect();
        given.insert(option.short, format!("[{}]", values.join(", ")));
    }
    let pairs = |all: BTreeMap<&str, String>| {
        let all: Vec<_> = all.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        all.join(", ")
    };
    let properties =
        line.properties().into_iter().map(|(key, value)| (key, value.to_owned())).collect();
    format!(
        "options {{{}}}\tproperties {{{}}}\targuments [{}]",
        pairs(given),
        pairs(properties),
        line.arguments.join(", ")
    )
}

#[test]
fn every_recorded_command_line_means_what_it_means_to_flinks_parser() {
    let mut wrong = Vec::new();
    for recorded in RECORDED.lines() {
        let (line, expected) = recorded.split_once("\t=>\t").expect("two parts");
        let words: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let outcome = match parse(&words[0], &words[1..]) {
            Ok(line) => shown(&line),
            // Said in words here, where Flink takes it for a jar.
            Err(Refusal::Yarn { .. }) => continue,
            Err(_) => "refused".to_owned(),
        };
        if outcome != expected {
            wrong.push(format!("{line:?}\n  Flink: {expected}\n  here:  {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn options_of_yarn_are_refused_by_name_but_not_those_of_the_program() {
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let refusal = parse("run", &words("-yDa=b x.jar")).expect_err("YARN").to_string();
    assert!(refusal.starts_with("-yD is an option for YARN"), "{refusal}");
    let line = parse("run", &words("-yd x.jar -yD a")).expect("an option of Flink itself");
    assert_eq!((line.has("yd"), line.arguments.len()), (true, 3));
}

#[test]
fn a_refusal_names_the_option() {
    let refusal = |action: &str, argument: &str| {
        parse(action, &[argument.to_owned()]).expect_err("a refusal").to_string()
    };
    assert_eq!(refusal("list", "--nope"), "Unrecognized option: --nope");
    assert_eq!(refusal("list", "-t"), "Missing argument for option: t");
    assert!(refusal("run", "--py").starts_with("Ambiguous option: 'py'"));
}

proptest! {
    /// Nothing that can be typed is a panic, and what stands behind the first argument is the program's.
    #[test]
    fn anything_is_understood_or_refused(
        words in prop::collection::vec("-{0,2}[a-zA-Z=é.\"1-]{0,12}", 0..8),
        program in prop::collection::vec(".*", 0..4),
    ) {
        for action in ["run", "list", "savepoint"] {
            let _ = parse(action, &words);
        }
        let mut line = vec!["job.jar".to_owned()];
        line.extend(program.clone());
        let parsed = parse("run", &line).expect("a jar and its arguments");
        prop_assert_eq!(&parsed.arguments[1..], &program[..]);
    }
}
