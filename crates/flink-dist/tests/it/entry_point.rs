use std::{fs, process::Command};

use tempfile::TempDir;

use crate::support::{crate_file, flink_home, link_fake, write};

/// A Flink home in which the entry point runs.
struct Container {
    home: TempDir,
}

struct Ended {
    status: i32,
    output: String,
    errors: String,
}

impl Container {
    /// One whose configuration is nested, as it is from 1.19.
    fn new() -> Self {
        let home = flink_home();
        for script in ["jobmanager.sh", "standalone-job.sh", "taskmanager.sh", "historyserver.sh"] {
            link_fake("script", &home.path().join("bin").join(script));
        }
        link_fake("java", &home.path().join("jdk/bin/java"));
        Self { home }
    }

    /// One whose configuration has a line for each option.
    fn legacy(configuration: &str) -> Self {
        let container = Self::new();
        fs::remove_file(container.home.path().join("conf/config.yaml")).unwrap();
        write(&container.home.path().join("conf/flink-conf.yaml"), configuration);
        container
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let home = self.home.path();
        let output = Command::new("bash")
            .arg(crate_file("src/docker-entrypoint.sh"))
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}/bin:/usr/bin:/bin", home.display()))
            .env("FLINK_HOME", home)
            .env("JAVA_HOME", home.join("jdk"))
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        Ended {
            status: output.status.code().unwrap(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of a configuration file, sorted.
    fn configuration(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.home.path().join("conf").join(file)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

#[test]
fn commands_that_are_not_its_own_are_run_as_they_are() {
    let container = Container::new();
    let ended = container.run(&["bash", "-c", "jobmanager.sh kubernetes-application 'a b' "], &[]);
    assert_eq!(
        (ended.status, ended.output.as_str()),
        (0, "jobmanager.sh kubernetes-application a b\n")
    );
    let ended = container.run(&["native-k8s", "taskmanager.sh -D x=y"], &[]);
    assert_eq!(ended.output, "taskmanager.sh -D x=y\n");
    let ended = container.run(&["bash", "-c", "exit 7"], &[]);
    assert_eq!(ended.status, 7);
    assert_eq!(
        container.configuration("config.yaml"),
        ["  port: 8081", "rest:"],
        "nothing asked for a change"
    );
    assert!(container.run(&["help"], &[]).output.starts_with("Usage: docker-entrypoint.sh"));
    assert_eq!(container.run(&[], &[]).status, 0);
}

#[test]
fn each_command_starts_its_script_in_the_foreground() {
    for (command, script) in [
        ("jobmanager", "jobmanager.sh"),
        ("standalone-job", "standalone-job.sh"),
        ("taskmanager", "taskmanager.sh"),
        ("history-server", "historyserver.sh"),
    ] {
        let ended = Container::new().run(&[command, "--one", "two words"], &[]);
        assert_eq!(
            ended.output,
            format!("{script} start-foreground --one two words\n"),
            "{}",
            ended.errors
        );
    }
}

#[test]
fn options_replace_lines_of_a_flat_configuration() {
    let before = "# keep me\njobmanager.rpc.address: localhost\ntaskmanager.host: localhost\nrest.port: 8081\nrest.portx: 1\n";
    let container = Container::legacy(before);
    let properties =
        "rest.port: 9999\n\n  # a comment\nenv.java.opts: -Da=b -Dc=\"d: e\"  \r\nrest.port: 8082";
    let environment = [
        ("FLINK_PROPERTIES", properties),
        ("JOB_MANAGER_RPC_ADDRESS", "jm.example"),
        ("TASK_MANAGER_NUMBER_OF_TASK_SLOTS", "4"),
    ];
    let ended = container.run(&["taskmanager"], &environment);
    assert_eq!(ended.status, 0, "{}", ended.errors);
    assert_eq!(
        container.configuration("flink-conf.yaml"),
        [
            "# keep me",
            "blob.server.port: 6124",
            "env.java.opts: -Da=b -Dc=\"d: e\"",
            "jobmanager.bind-host: 0.0.0.0",
            "jobmanager.rpc.address: jm.example",
            "query.server.port: 6125",
            "rest.address: 0.0.0.0",
            "rest.bind-address: 0.0.0.0",
            "rest.port: 8082",
            "rest.portx: 1",
            "taskmanager.bind-host: 0.0.0.0",
            "taskmanager.numberOfTaskSlots: 4",
        ]
    );
}

#[test]
fn options_go_into_a_nested_configuration_by_flinks_own_tool() {
    let container = Container::new();
    let environment = [("FLINK_PROPERTIES", "env.java.opts.all: -Da=b -Dc=d\nrest.port: 8082")];
    let ended = container.run(&["bash", "-c", "true"], &environment);
    assert_eq!(ended.status, 0, "{}", ended.errors);
    assert_eq!(
        container.configuration("config.yaml"),
        ["-Denv.java.opts.all=-Da=b -Dc=d", "-Drest.port=8082"]
    );
    let ended = container.run(&["jobmanager"], &[]);
    assert_eq!(ended.status, 0, "{}", ended.errors);
    let lines = container.configuration("config.yaml");
    assert!(lines.contains(&"-Djobmanager.bind-host=0.0.0.0".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"-rmKey".to_owned()) && lines.contains(&"taskmanager.host".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_configuration_that_flink_cannot_read_stops_the_start_and_stays_as_it_is() {
    let container = Container::new();
    write(&container.home.path().join("jdk/bin/fails"), "");
    let ended = container.run(&["jobmanager"], &[]);
    assert_eq!((ended.status, ended.output.as_str()), (1, ""));
    assert!(
        ended.errors.contains("Exception in thread main: bad configuration"),
        "{}",
        ended.errors
    );
    assert_eq!(container.configuration("config.yaml"), ["  port: 8081", "rest:"]);
    let ended =
        Container::new().run(&["bash", "-c", "true"], &[("FLINK_PROPERTIES", "rest.port 8082")]);
    assert_eq!(ended.status, 1);
    assert!(
        ended.errors.contains("not of the form \"key: value\": rest.port 8082"),
        "{}",
        ended.errors
    );
}

#[test]
fn built_in_plugins_get_a_folder_each() {
    let container = Container::new();
    let jar = "flink-python-1.20.5.jar";
    write(&container.home.path().join("opt/other.jar"), "");
    let names = format!("{jar}; other.jar;");
    let plugins = [("ENABLE_BUILT_IN_PLUGINS", names.as_str())];
    for _ in 0..2 {
        let ended = container.run(&["bash", "-c", "true"], &plugins);
        assert_eq!(ended.status, 0, "{}", ended.errors);
    }
    for (folder, jar) in [("flink-python-1.20.5", jar), ("other", "other.jar")] {
        let link = container.home.path().join("plugins").join(folder).join(jar);
        assert_eq!(
            link.canonicalize().unwrap(),
            container.home.path().join("opt").join(jar).canonicalize().unwrap()
        );
    }
    let ended =
        container.run(&["bash", "-c", "echo started"], &[("ENABLE_BUILT_IN_PLUGINS", "gone.jar")]);
    assert_eq!((ended.status, ended.output.as_str()), (1, ""));
    assert!(ended.errors.contains("names gone.jar"), "{}", ended.errors);
}
