//! `kubernetes-session.sh`.

use flumen_flink_cli::Program;

use crate::{drop_in::DropIn, kubernetes::Kubernetes};

const CREATE: [&str; 2] =
    ["-Dkubernetes.cluster-id=my-session", "-Dkubernetes.container.image.ref=flink:1"];
const ATTACHED: [&str; 3] = [CREATE[0], CREATE[1], "-Dexecution.attached=true"];

#[test]
fn a_session_is_created_and_attached_to_the_next_time() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let created = drop_in.session(&CREATE);
    assert_eq!(created.code, 0, "{created:?}");
    assert!(created.out.contains(
        "Create flink session cluster my-session successfully, JobManager Web Interface: http://"
    ));
    let writes = kubernetes.writes();
    let found = drop_in.session(&CREATE);
    assert_eq!(found.code, 0, "{found:?}");
    assert!(found.out.contains(
        "Retrieve flink cluster my-session successfully, JobManager Web Interface: http://"
    ));
    assert_eq!(kubernetes.writes(), writes);
}

#[test]
fn an_attached_session_is_stopped_by_a_piped_stop() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let outcome =
        drop_in.run_with(Program::KubernetesSession, &ATTACHED, "help\nwhat\nstop\nquit\n");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.notes.matches("stop - stop the kubernetes cluster").count(), 2);
    assert!(outcome.notes.contains("Unknown command 'what'"));
    let last = kubernetes.writes().pop().expect("writes");
    assert_eq!(last, "DELETE /apis/apps/v1/namespaces/default/deployments/my-session");
}

#[test]
fn quit_the_end_of_the_input_and_a_session_that_is_not_attached_leave_it_running() {
    for (arguments, input) in
        [(&ATTACHED[..], "quit\n"), (&ATTACHED[..], ""), (&CREATE[..], "stop\n")]
    {
        let kubernetes = Kubernetes::start();
        let drop_in = DropIn::new("2.3.0", &kubernetes);
        let outcome = drop_in.run_with(Program::KubernetesSession, arguments, input);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert!(kubernetes.names().contains(&"Deployment my-session".to_owned()), "{input:?}");
    }
}

#[test]
fn help_creates_nothing_and_what_flink_ignores_is_told() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let help = drop_in.session(&["--help"]);
    assert_eq!((help.code, kubernetes.writes().len()), (0, 0));
    assert!(help.out.contains("-D <key=value>"), "{}", help.out);
    let outcome = drop_in.session(&[CREATE[0], CREATE[1], "extra", "-Dlost=1"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.notes.contains("not used, as in Flink: extra -Dlost=1"), "{}", outcome.notes);
}

#[test]
fn both_programs_are_known_by_the_names_that_scripts_call() {
    for (name, program) in [
        ("flink", Some(Program::Flink)),
        ("flink.sh", Some(Program::Flink)),
        ("kubernetes-session", Some(Program::KubernetesSession)),
        ("kubernetes-session.sh", Some(Program::KubernetesSession)),
        ("flumen", None),
    ] {
        assert_eq!(Program::named(name), program, "{name}");
    }
}
