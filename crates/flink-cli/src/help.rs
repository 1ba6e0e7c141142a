//! Help, and the tables of the documentation, from the table of options.

use std::fmt::Write as _;

use flumen_model::FlinkMinor;

use crate::{
    Surroundings,
    options::{ACTIONS, Action, ActionEntry, CliOption, OPTIONS, of_action},
};

const WIDTH: usize = 96;
const INDENT: usize = 5;

/// What there is to say about one action.
pub(crate) fn of(action: Action, minor: FlinkMinor) -> String {
    let mut text = String::new();
    let entry = ACTIONS.iter().find(|entry| entry.action == action);
    if let Some(ActionEntry { name, syntax, about, .. }) = entry {
        let _ = write!(text, "\nAction \"{name}\" {about}.\n\n  Syntax: {name} {syntax}\n\n");
        let _ = writeln!(text, "  \"{name}\" action options:");
    } else {
        text.push_str("\nCreates a session cluster, or attaches to one that is there.\n\n");
        text.push_str("  Syntax: kubernetes-session.sh [OPTIONS]\n\n  Options:\n");
    }
    let options = of_action(action, minor);
    let left = options.iter().map(|option| option.shown().chars().count()).max().unwrap_or(0) + 2;
    for option in options {
        row(&mut text, &option.shown(), option.does, left);
    }
    text
}

/// One option: what it is called, and beside it what it does.
fn row(text: &mut String, shown: &str, does: &str, left: usize) {
    let mut line = format!("{:INDENT$}{shown:<left$}", "");
    for word in does.replace('`', "").split(' ') {
        if line.chars().count() + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(INDENT + left);
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// All actions of a minor.
pub(crate) fn all(minor: FlinkMinor) -> String {
    let mut text =
        "flink <ACTION> [OPTIONS] [ARGUMENTS]\n\nThe following actions are available:\n".to_owned();
    for entry in ACTIONS.iter().filter(|entry| entry.is_in(minor)) {
        text.push_str(&of(entry.action, minor));
    }
    text
}

/// Prints a text that ends with its line already.
pub(crate) fn print(text: &str, surroundings: &mut Surroundings<'_>) -> std::io::Result<()> {
    surroundings.say(text.trim_end_matches('\n'))
}

/// Every option of every action as Markdown tables, with the minors that have it and what Flumen does.
pub fn option_tables() -> String {
    let mut text = String::new();
    for entry in ACTIONS {
        let _ = write!(text, "### `flink {}`\n\nIt {}.\n\n", entry.name, entry.about);
        table(&mut text, |option| option.actions.contains(&entry.action) && !is_general(option));
    }
    text.push_str("### General options\n\nOf every action; `kubernetes-session.sh` has -t, -e, -D and -h.\n\n");
    table(&mut text, is_general);
    text.trim_end().to_owned() + "\n"
}

fn table(text: &mut String, wanted: impl Fn(&CliOption) -> bool) {
    text.push_str("| option | Flink | what Flumen does |\n| --- | --- | --- |\n");
    for option in OPTIONS.iter().filter(|option| wanted(option)) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            option.shown().replace('|', "\\|"),
            versions(option),
            option.does
        );
    }
    text.push('\n');
}

fn is_general(option: &CliOption) -> bool {
    option.actions.contains(&Action::List) && option.actions.contains(&Action::Checkpoint)
}

fn versions(option: &CliOption) -> String {
    let first = FlinkMinor::SUPPORTED[0];
    match (option.since == first, option.until) {
        (true, None) => "all".to_owned(),
        (false, None) => format!("{}+", option.since),
        (_, Some(last)) if last == option.since => last.to_string(),
        (_, Some(last)) => format!("{}–{last}", option.since),
    }
}
