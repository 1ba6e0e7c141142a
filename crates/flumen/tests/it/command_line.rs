use crate::running::{answer, bare, flumen};

#[test]
fn the_version_of_the_program_and_the_noun_version_are_two_things() {
    let directory = tempfile::tempdir().expect("a directory");
    let shown = answer(flumen(directory.path()).arg("--version"));
    assert_eq!(shown.output.trim(), concat!("flumen ", env!("CARGO_PKG_VERSION")));
    let noun = answer(flumen(directory.path()).args(["version", "--help"]));
    assert_eq!(noun.code, Some(0));
    assert!(noun.output.contains("add"), "{}", noun.output);
}

#[test]
fn without_a_server_a_command_says_how_to_start_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = answer(flumen(directory.path()).args(["job", "list"]));
    assert_eq!(refused.code, Some(6));
    assert!(refused.errors.contains("flumen up"), "{}", refused.errors);
    assert!(refused.output.is_empty());
}

#[test]
fn wrong_usage_and_wrong_settings_end_with_2() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(answer(flumen(directory.path()).arg("no-such-command")).code, Some(2));
    let mut command = flumen(directory.path());
    command.args(["serve", "--listen", "nowhere", "--log-format", "xml"]);
    let refused = answer(&mut command);
    assert_eq!(refused.code, Some(2));
    for part in ["nowhere", "--listen", "xml", "text or json"] {
        assert!(refused.errors.contains(part), "{part} in {}", refused.errors);
    }
}

#[test]
fn an_empty_variable_and_a_wrong_settings_file_are_said_to_a_client_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("flumen.toml");
    std::fs::write(&file, "data-directory = 1 2\n").expect("written");
    let client = |words: &[&str], (name, value): (&str, &str)| {
        answer(bare(directory.path()).args(words).env(name, value))
    };
    let file = file.to_str().expect("text");
    for (variable, part) in [
        (("FLUMEN_DATA_DIRECTORY", ""), "FLUMEN_DATA_DIRECTORY is empty"),
        (("FLUMEN_SERVER", ""), "FLUMEN_SERVER is empty"),
        (("FLUMEN_CONFIG", file), "not valid TOML"),
    ] {
        let refused = client(&["job", "list"], variable);
        assert_eq!(refused.code, Some(2), "{}", refused.errors);
        assert!(refused.errors.contains(part), "{part} in {}", refused.errors);
    }
    let completion = client(&["completion", "bash"], ("FLUMEN_CONFIG", file));
    assert_eq!(completion.code, Some(0), "{}", completion.errors);
}

#[test]
fn settings_are_shown_with_where_they_come_from() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = flumen(directory.path());
    command.args(["config", "show", "--listen", "127.0.0.1:1"]).env("FLUMEN_LOG", "debug");
    let shown = answer(&mut command);
    assert_eq!(shown.code, Some(0), "{}", shown.errors);
    let line = |key: &str| {
        let line = shown.output.lines().find(|line| line.starts_with(key)).expect("a line");
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("listen"), ["listen", "127.0.0.1:1", "--listen"]);
    assert_eq!(line("log "), ["log", "debug", "FLUMEN_LOG"]);
    assert_eq!(line("ui-listen"), ["ui-listen", "127.0.0.1:7601", "default"]);
}

#[test]
fn completions_know_the_commands() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let script = answer(flumen(directory.path()).args(["completion", shell]));
        assert_eq!(script.code, Some(0), "{}", script.errors);
        for word in ["apply", "environment", "history"] {
            assert!(script.output.contains(word), "{word} in the script for {shell}");
        }
    }
}

#[test]
fn the_doctor_says_what_it_saw_and_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let shown = answer(flumen(directory.path()).args(["doctor", "--output", "json"]));
    let seen: serde_json::Value = serde_json::from_str(&shown.output).expect("JSON");
    let items = seen["items"].as_array().expect("a list");
    let failed = items.iter().any(|item| item["outcome"] == "fail");
    assert_eq!(shown.code, Some(i32::from(failed)), "{}", shown.errors);
    let server = items.iter().find(|item| item["name"] == "server").expect("a look at the server");
    assert_eq!(server["outcome"], "warn");
    assert!(
        items.iter().all(|item| item["outcome"] == "ok" || item["remedy"].is_string()),
        "{seen}"
    );
}
