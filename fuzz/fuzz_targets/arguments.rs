//! The command lines of `flink` and `kubernetes-session.sh`, an argument a line behind a line with the version and
//! a line with the action. With `-h` they are read to their end and nothing is asked of anyone; a submission is
//! read, checked and then finds no cluster.
#![no_main]

use std::path::PathBuf;

use flumen_flink_cli::{Program, Surroundings, run};
use libfuzzer_sys::fuzz_target;

const SUBMISSIONS: [&str; 2] = ["run-application", "kubernetes-session"];

fuzz_target!(|text: &str| {
    if text.contains('\0') {
        return;
    }
    let mut lines = text.lines().map(str::to_owned);
    let (version, action) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let arguments: Vec<String> = lines.take(40).collect();
    let variable = |name: &str| match name {
        "FLINK_VERSION" => Some(version.clone()),
        "KUBECONFIG" => Some("/nowhere/kubeconfig".to_owned()),
        _ => None,
    };
    call(&action, &[&["-h".to_owned()], &arguments[..]].concat(), &variable);
    let local = arguments.iter().all(|argument| !argument.contains("kubernetes.config.file"));
    if SUBMISSIONS.contains(&action.as_str()) && local {
        call(&action, &arguments, &variable);
    }
});

fn call(action: &str, arguments: &[String], variable: &dyn Fn(&str) -> Option<String>) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut surroundings = Surroundings {
        variable,
        directory: PathBuf::from("/nowhere"),
        called_at: None,
        input: &mut std::io::empty(),
        out: &mut out,
        notes: &mut notes,
    };
    if action == "kubernetes-session" {
        run(Program::KubernetesSession, arguments, &mut surroundings);
    } else {
        let all = [&[action.to_owned()], arguments].concat();
        run(Program::Flink, &all, &mut surroundings);
    }
}
