use clap::CommandFactory as _;

use super::*;

fn after_help(command: &clap::Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_command_of_this_machine_has_examples_of_its_own() {
    for path in [
        "up",
        "serve",
        "local",
        "doctor",
        "config",
        "config show",
        "flink",
        "kubernetes-session",
        "schema",
    ] {
        let mut command = &CommandLine::command();
        for name in path.split(' ') {
            command = command.find_subcommand(name).expect(path);
        }
        let shown = after_help(command);
        assert!(shown.contains(&format!("Examples:\n  flumen {path}")), "{path}: {shown}");
    }
}

#[test]
fn every_example_is_a_command_line() {
    fn check(command: &clap::Command) {
        for line in after_help(command).lines() {
            let Some(line) = line.strip_prefix("  flumen ") else { continue };
            // Behind wide space stands what it does.
            let words = line.split("  ").next().unwrap_or_default().split_whitespace();
            let words = words.take_while(|word| !matches!(*word, ">" | "|"));
            let words = words.map(|word| word.trim_matches('\''));
            let parsed = CommandLine::try_parse_from(std::iter::once("flumen").chain(words));
            assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("wrong"));
        }
        command.get_subcommands().for_each(check);
    }
    check(&CommandLine::command());
}
