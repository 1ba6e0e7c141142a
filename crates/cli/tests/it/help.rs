use std::fmt::Write as _;

use clap::{CommandFactory as _, Parser as _};

use crate::fake::CommandLine;

/// The help of every command, one after the other.
#[test]
fn the_help_of_every_command_is_as_it_was_agreed() {
    let mut all = String::new();
    append(&mut all, &mut CommandLine::command(), "flumen");
    insta::assert_snapshot!(all);
}

fn append(all: &mut String, command: &mut clap::Command, name: &str) {
    let help = command.clone().bin_name(name).term_width(90).render_help().to_string();
    // The global options are the same everywhere; they are shown once.
    let shown = match help.split_once("\nGlobal options:") {
        Some((before, after)) if name != "flumen" => {
            let examples = after.split_once("\n\n").map_or("", |(_, rest)| rest);
            format!("{before}\n{examples}")
        }
        _ => help,
    };
    writeln!(all, "── {name}\n{}\n", shown.trim_end()).expect("a String takes all");
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for sub in names.iter().filter(|sub| *sub != "help") {
        if let Some(command) = command.find_subcommand_mut(sub) {
            append(all, command, &format!("{name} {sub}"));
        }
    }
}

#[test]
fn every_command_has_examples() {
    fn check(command: &clap::Command, name: &str) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        // The program itself has its help from the binary.
        assert!(after.contains(name) || name == "flumen", "{name} has no example");
        for sub in command.get_subcommands() {
            check(sub, &format!("{name} {}", sub.get_name()));
        }
    }
    check(&CommandLine::command(), "flumen");
}

#[test]
fn every_example_is_a_command_line() {
    fn check(command: &clap::Command) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in after.lines().filter_map(|line| line.strip_prefix("  flumen ")) {
            let words = line.split_whitespace().take_while(|word| !matches!(*word, ">" | "|"));
            let parsed = CommandLine::try_parse_from(std::iter::once("flumen").chain(words));
            assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("wrong"));
        }
        command.get_subcommands().for_each(check);
    }
    check(&CommandLine::command());
}

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}
