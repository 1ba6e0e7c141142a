use super::*;

fn sources(variables: &dyn Fn(&str) -> Option<String>) -> Sources<'_> {
    Sources { flags: Flags::new(), file: None, data_directory: None, variables }
}

fn home(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/nowhere".to_owned())
}

#[test]
fn without_anything_given_all_values_are_defaults() {
    let resolved = sources(&home).resolve().expect("valid");
    assert_eq!(resolved.settings.listen.to_string(), "127.0.0.1:7600");
    assert_eq!(resolved.settings.data_directory, Path::new("/nowhere/.local/share/flumen"));
    assert!(resolved.values.iter().all(|(_, _, origin)| *origin == Origin::Default));
    let shown: Vec<_> = resolved.values.iter().map(|(key, _, _)| *key).collect();
    assert_eq!(shown, keys::ALL, "every key is shown, in order");
}

#[test]
fn flags_go_before_variables_and_variables_before_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("flumen.toml");
    std::fs::write(&path, "listen = '127.0.0.1:1'\nui-listen = '127.0.0.1:1'\nlog = 'debug'\n")
        .expect("written");
    let variables = |name: &str| match name {
        "FLUMEN_LISTEN" | "FLUMEN_UI_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "FLUMEN_CONFIG" => Some(path.display().to_string()),
        other => home(other),
    };
    let mut sources = sources(&variables);
    sources.flags.insert(keys::LISTEN, "127.0.0.1:3".to_owned());
    let Resolved { settings, values } = sources.resolve().expect("valid");
    assert_eq!((settings.listen.port(), settings.ui_listen.port()), (3, 2));
    assert_eq!(settings.log.to_string(), "debug");
    let origin = |key| {
        values.iter().find(|(name, _, _)| *name == key).map(|(_, _, origin)| origin.to_string())
    };
    assert_eq!(origin(keys::LISTEN).as_deref(), Some("--listen"));
    assert_eq!(origin(keys::UI_LISTEN).as_deref(), Some("FLUMEN_UI_LISTEN"));
    assert_eq!(origin(keys::LOG), Some(path.display().to_string()));
}

#[test]
fn all_problems_are_said_together_with_where_they_come_from() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("flumen.toml");
    std::fs::write(&path, "lisen = 'x'\nartifact-limit = 'much'\nlog-format = ['json']\n")
        .expect("written");
    let variables = |name: &str| match name {
        "FLUMEN_ALLOCATABLE_CPU" => Some("lots".to_owned()),
        "FLUMEN_LISTEN" => Some("localhost".to_owned()),
        other => home(other),
    };
    let mut sources = sources(&variables);
    sources.file = Some(&path);
    let error = sources.resolve().err().expect("problems").to_string();
    for part in [
        "lisen",
        "artifact-limit is \"much\"",
        "log-format in",
        "FLUMEN_ALLOCATABLE_CPU",
        "listen is \"localhost\" (FLUMEN_LISTEN): expected an IP address and a port",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_settings_file_that_was_named_must_be_there() {
    let mut sources = sources(&home);
    sources.file = Some(Path::new("/nowhere/flumen.toml"));
    let error = sources.resolve().err().expect("a problem").to_string();
    assert!(error.contains("/nowhere/flumen.toml"), "{error}");
}
