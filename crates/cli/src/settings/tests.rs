use std::ffi::OsString;

use super::*;

const NOTHING: Variables<'_> = &|_| None;

fn directory_of_a_running_server() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let file = ServerFile {
        url: "http://127.0.0.1:7600".parse().expect("valid"),
        ui_url: "http://127.0.0.1:7601".parse().expect("valid"),
        pid: 1,
    };
    file.save(directory.path()).expect("saved");
    std::fs::write(ServerFile::token_path(directory.path()), "of-this-machine\n").expect("written");
    directory
}

fn arguments(directory: &tempfile::TempDir) -> GlobalArguments {
    GlobalArguments { data_directory: Some(directory.path().to_owned()), ..Default::default() }
}

fn token(settings: &Settings) -> Option<&str> {
    settings.token.as_ref().map(Secret::expose)
}

#[test]
fn the_server_of_this_machine_is_found_with_its_token() {
    let directory = directory_of_a_running_server();
    let settings = Settings::resolve(&arguments(&directory), NOTHING).expect("found");
    assert_eq!(settings.server.as_str(), "http://127.0.0.1:7600/");
    assert_eq!(token(&settings), Some("of-this-machine"));
    assert_eq!(settings.environment.as_str(), "local");
}

#[test]
fn the_token_of_this_machine_is_not_sent_to_another_server() {
    let directory = directory_of_a_running_server();
    let mut arguments = arguments(&directory);
    arguments.server = Some("https://flumen.example.com".to_owned());
    let settings = Settings::resolve(&arguments, NOTHING).expect("found");
    assert_eq!(token(&settings), None);
    arguments.server = Some("http://127.0.0.1:7600/".to_owned());
    let settings = Settings::resolve(&arguments, NOTHING).expect("found");
    assert_eq!(token(&settings), Some("of-this-machine"));
}

#[test]
fn flags_go_before_variables() {
    let directory = directory_of_a_running_server();
    let variables: Variables<'_> = &|name| match name {
        SERVER => Some("http://from-variable:1".into()),
        TOKEN => Some("from-variable".into()),
        "FLUMEN_ENVIRONMENT" => Some("prod".into()),
        _ => None,
    };
    let mut arguments = arguments(&directory);
    let settings = Settings::resolve(&arguments, variables).expect("found");
    assert_eq!(
        (settings.server.host_str(), token(&settings)),
        (Some("from-variable"), Some("from-variable"))
    );
    assert_eq!(settings.environment.as_str(), "prod");
    arguments.server = Some("http://from-flag:1".to_owned());
    let settings = Settings::resolve(&arguments, variables).expect("found");
    assert_eq!(settings.server.host_str(), Some("from-flag"));
}

#[test]
fn no_server_is_an_error_that_names_the_command_to_start_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let error = Settings::resolve(&arguments(&directory), NOTHING).expect_err("none");
    assert!(error.hint().expect("a hint").contains("flumen up"), "{error}");
}

#[test]
fn a_server_that_is_no_address_is_refused() {
    for bad in ["localhost:7600", "ftp://x", "http://", "http://user:secret@host"] {
        let error = parse_server(bad).expect_err(bad);
        assert_eq!(error.kind(), flumen_model::Kind::Invalid, "{bad}");
    }
}

#[test]
fn a_variable_that_is_empty_is_refused_where_no_flag_is_given() {
    let directory = directory_of_a_running_server();
    for name in [SERVER, TOKEN, ENVIRONMENT] {
        let variables: Variables<'_> = &|asked| (asked == name).then(OsString::new);
        let error = Settings::resolve(&arguments(&directory), variables).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
    let mut arguments = arguments(&directory);
    arguments.token = Some("from-flag".to_owned());
    let empty: Variables<'_> = &|name| (name == TOKEN).then(OsString::new);
    assert!(Settings::resolve(&arguments, empty).is_ok());
}

#[test]
fn without_a_data_directory_a_server_must_be_named() {
    let mut arguments = GlobalArguments::default();
    assert!(matches!(Settings::resolve(&arguments, NOTHING), Err(Error::NoHome)));
    arguments.server = Some("http://127.0.0.1:7600".to_owned());
    let settings = Settings::resolve(&arguments, NOTHING).expect("named");
    assert_eq!(token(&settings), None);
}
