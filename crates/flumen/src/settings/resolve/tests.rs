use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use super::*;

fn sources(variables: Variables<'_>) -> Sources<'_> {
    Sources { flags: Flags::new(), file: None, data_directory: None, variables }
}

fn home(name: &str) -> Option<OsString> {
    (name == "HOME").then(|| "/nowhere".into())
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
        "FLUMEN_LISTEN" | "FLUMEN_UI_LISTEN" => Some("127.0.0.1:2".into()),
        "FLUMEN_CONFIG" => Some(path.clone().into()),
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
        "FLUMEN_ALLOCATABLE_CPU" => Some("lots".into()),
        "FLUMEN_LISTEN" => Some("localhost".into()),
        "FLUMEN_NODES" => Some("0".into()),
        "FLUMEN_PRETEND_NODES" => Some("many".into()),
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
        "nodes is \"0\" (FLUMEN_NODES): expected a number from 1 to 20",
        "pretend-nodes is \"many\" (FLUMEN_PRETEND_NODES): expected a number from 0 to 1000",
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

/// A folder with a settings file in the usual place of a home, and the variables of that home.
fn home_with(text: &str) -> (tempfile::TempDir, impl Fn(&str) -> Option<OsString>) {
    let home = tempfile::tempdir().expect("a directory");
    let folder = home.path().join(".config/flumen");
    std::fs::create_dir_all(&folder).expect("a directory");
    std::fs::write(folder.join("flumen.toml"), text).expect("written");
    let path = home.path().to_owned();
    (home, move |name: &str| (name == "HOME").then(|| path.clone().into()))
}

#[test]
fn the_data_directory_of_the_file_counts_for_clients_as_for_the_server() {
    let (_home, variables) = home_with("data-directory = '/data'\n");
    let of_server = sources(&variables).resolve().expect("valid").settings.data_directory;
    let of_client = sources(&variables).resolve_data_directory().expect("valid");
    assert_eq!((of_client.as_ref(), of_server.as_path()), (Some(&of_server), Path::new("/data")));
    let both = |name: &str| match name {
        "FLUMEN_DATA_DIRECTORY" => Some("/variable".into()),
        other => variables(other),
    };
    let mut sources = sources(&both);
    sources.data_directory = Some(Path::new("/flag"));
    assert_eq!(sources.resolve_data_directory().ok(), Some(Some("/flag".into())));
}

#[test]
fn a_client_that_names_the_data_directory_is_free_of_the_file() {
    let (_home, variables) = home_with("no = [toml\n");
    let error = sources(&variables).resolve_data_directory().expect_err("wrong").to_string();
    assert!(error.contains("not valid TOML"), "{error}");
    let mut named = sources(&variables);
    named.data_directory = Some(Path::new("/flag"));
    assert_eq!(named.resolve_data_directory().ok(), Some(Some("/flag".into())));
}

#[test]
fn without_a_home_a_client_has_no_data_directory_and_the_server_asks_for_one() {
    let nothing = |_: &str| None;
    assert_eq!(sources(&nothing).resolve_data_directory().ok(), Some(None));
    let error = sources(&nothing).resolve().err().expect("a problem").to_string();
    for key in ["data-directory must be given", "cache-directory must be given"] {
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn variables_that_are_empty_or_no_text_are_said_with_the_rest() {
    let variables = |name: &str| match name {
        "FLUMEN_LISTEN" => Some(OsString::from_vec(vec![0xff])),
        "FLUMEN_LOCAL_REGISTRY" | "XDG_DATA_HOME" => Some(OsString::new()),
        other => home(other),
    };
    let error = sources(&variables).resolve().err().expect("problems").to_string();
    for part in ["FLUMEN_LISTEN is not UTF-8 text", "FLUMEN_LOCAL_REGISTRY is empty"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(!error.contains("XDG_DATA_HOME"), "{error}");
    let empty = |name: &str| (name == "FLUMEN_DATA_DIRECTORY").then(OsString::new);
    let error = sources(&empty).resolve_data_directory().expect_err("empty").to_string();
    assert!(error.contains("FLUMEN_DATA_DIRECTORY is empty"), "{error}");
}

#[test]
fn the_local_cluster_is_named_with_its_registry_or_not_at_all() {
    for (given, missing) in [
        (keys::LOCAL_KUBECONFIG, keys::LOCAL_REGISTRY),
        (keys::LOCAL_REGISTRY, keys::LOCAL_KUBECONFIG),
    ] {
        let mut sources = sources(&home);
        sources.flags.insert(given, "here:1".to_owned());
        let error = sources.resolve().err().expect("a problem").to_string();
        let said = format!("{given} is given (--{given}) and {missing} is not");
        assert!(error.contains(&said), "{error}");
    }
}

#[test]
fn how_registries_are_spoken_to_is_checked_before_anything_starts() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("file").display().to_string();
    let resolve = |key, value: &str| {
        let mut sources = sources(&home);
        sources.flags.insert(key, value.to_owned());
        sources.resolve().map(|resolved| resolved.settings).map_err(|error| error.to_string())
    };
    for key in [keys::REGISTRY_CREDENTIALS, keys::REGISTRY_CA] {
        let missing = resolve(key, &path).expect_err("there is no file");
        assert!(missing.contains(key) && missing.contains("cannot be read"), "{missing}");
    }
    std::fs::write(&path, "{}").expect("written");
    let credentials = resolve(keys::REGISTRY_CREDENTIALS, &path).expect("valid");
    assert_eq!(credentials.registry_credentials.expect("given").0.display().to_string(), path);
    let wrong = resolve(keys::REGISTRY_CA, &path).expect_err("no certificate");
    assert!(wrong.contains("expected a file with certificates in PEM"), "{wrong}");
    let names = resolve(keys::INSECURE_REGISTRIES, "r.example:5000, localhost").expect("valid");
    let names = names.insecure_registries.expect("given");
    assert_eq!(names.to_string(), "localhost,r.example:5000");
    let wrong = resolve(keys::INSECURE_REGISTRIES, "https://r.example").expect_err("a URL");
    assert!(wrong.contains("expected host names or addresses"), "{wrong}");
}

#[test]
fn a_wrong_release_policy_is_said_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("policy.yaml");
    let resolve = || {
        let mut sources = sources(&home);
        sources.flags.insert(keys::RELEASE_POLICY, path.display().to_string());
        sources.resolve().map_err(|error| error.to_string())
    };
    let missing = resolve().err().expect("there is no file");
    assert!(
        missing.contains("release-policy is") && missing.contains("cannot be read"),
        "{missing}"
    );
    std::fs::write(&path, "licenses:\n  deny: [AGPL]\n").expect("written");
    let wrong = resolve().err().expect("no id");
    assert!(wrong.contains("policy.yaml:2:") && wrong.contains("AGPL-3.0-only"), "{wrong}");
    std::fs::write(&path, "licenses:\n  deny: [AGPL-3.0-only]\n").expect("written");
    let policy = resolve().expect("valid").settings.release_policy.expect("a policy");
    assert_eq!(policy.path, path);
}
