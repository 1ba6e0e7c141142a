use std::fmt::Write as _;

use clap::CommandFactory as _;

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
        let mut leaves = command.get_subcommands().peekable();
        if leaves.peek().is_none() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                after.contains(&format!("{name} ")) || after.contains(name),
                "{name} has no example"
            );
        }
        for sub in command.get_subcommands() {
            check(sub, &format!("{name} {}", sub.get_name()));
        }
    }
    check(&CommandLine::command(), "flumen");
}

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}
