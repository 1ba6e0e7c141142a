//! Actions on jobs, by address and through the API server's service proxy.

use std::{sync::Arc, thread, time::Duration};

use flumen_testkit::{FakeFlink, Fault, eventually, sample};
use serde_json::json;

use crate::{
    drop_in::{DropIn, Outcome},
    kubernetes::Kubernetes,
};

const JOB: &str = "0000000000000000000000000000002a";
const OTHER: &str = "0000000000000000000000000000002b";
const SESSION: [&str; 3] = ["-t", "kubernetes-session", "-Dkubernetes.cluster-id=my-session"];

struct World {
    kubernetes: Kubernetes,
    flink: Arc<FakeFlink>,
    drop_in: DropIn,
}

impl World {
    fn new(version: &str) -> Self {
        let kubernetes = Kubernetes::start();
        let flink = Arc::new(kubernetes.runtime.block_on(FakeFlink::start(version)));
        flink.add_job(JOB, "word-count", "RUNNING");
        kubernetes.serve("my-session", flink.url());
        let mut drop_in = DropIn::new(version, &kubernetes);
        drop_in.set("TZ", "UTC");
        Self { kubernetes, flink, drop_in }
    }

    /// The action on the session in the cluster.
    fn act(&self, action: &str, more: &[&str]) -> Outcome {
        let mut arguments = vec![action];
        arguments.extend(SESSION);
        arguments.extend(more);
        self.drop_in.flink(&arguments)
    }

    /// The same while the savepoint that it triggers comes to this end.
    fn act_until(
        &self,
        (action, more): (&str, &[&str]),
        end: impl FnOnce(&FakeFlink, &str) + Send + 'static,
    ) -> Outcome {
        let flink = Arc::clone(&self.flink);
        let other = thread::spawn(move || {
            let trigger = eventually(Duration::from_secs(30), || {
                flink.triggers().pop().ok_or("no trigger yet")
            });
            end(&flink, &trigger);
        });
        let outcome = self.act(action, more);
        other.join().expect("the savepoint was triggered");
        outcome
    }
}

#[test]
fn jobs_are_listed_in_blocks_with_their_ids_through_the_service_proxy() {
    let world = World::new("1.20.5");
    world.flink.add_job(OTHER, "done", "FINISHED");
    let listed = world.act("list", &[]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let lines: Vec<_> = listed.out.lines().collect();
    assert_eq!(lines[0], "Waiting for response...");
    assert_eq!(lines[1], "------------------ Running/Restarting Jobs -------------------");
    assert!(lines[2].ends_with(&format!(" : {JOB} : word-count (RUNNING)")), "{}", lines[2]);
    assert_eq!(lines[2].find(" : "), Some("01.01.2026 00:00:00".len()));
    assert_eq!(lines[4..], ["No scheduled jobs."]);
    let scheduled = world.act("list", &["-s"]);
    assert_eq!(scheduled.out, "Waiting for response...\nNo scheduled jobs.\n");
    let all = world.act("list", &["-a"]);
    assert!(all.out.contains(&format!("{OTHER} : done (FINISHED)")), "{}", all.out);
}

#[test]
fn a_remote_job_manager_is_asked_at_its_address() {
    let world = World::new("2.3.0");
    let address = world.flink.address().to_string();
    for arguments in [
        vec!["list", "-m", address.as_str()],
        vec!["list", "-t", "remote", "-m", address.as_str()],
        vec!["list", "--jobmanager", address.as_str(), "-r"],
    ] {
        let outcome = world.drop_in.flink(&arguments);
        assert!(outcome.out.contains(JOB), "{arguments:?}: {outcome:?}");
    }
    let port = format!("-Drest.port={}", world.flink.address().port());
    let outcome = world.drop_in.flink(&["list", "-Drest.address=127.0.0.1", &port]);
    assert!(outcome.out.contains(JOB), "{outcome:?}");
}

#[test]
fn a_job_is_cancelled() {
    let world = World::new("1.17.2");
    let outcome = world.act("cancel", &[JOB]);
    assert_eq!(outcome.out, format!("Cancelling job {JOB}.\nCancelled job {JOB}.\n"));
    assert_eq!((outcome.code, world.flink.state(JOB).as_str()), (0, "CANCELLING"));
}

#[test]
fn a_job_that_has_finished_cannot_be_cancelled() {
    let world = World::new("1.17.2");
    world.flink.set_state(JOB, "FINISHED");
    let outcome = world.act("cancel", &[JOB]);
    assert_eq!((outcome.code, outcome.out), (1, format!("Cancelling job {JOB}.\n")));
    assert!(outcome.notes.contains(&format!("Could not cancel job {JOB}.")), "{}", outcome.notes);
}

#[test]
fn a_savepoint_is_waited_for_and_its_path_told() {
    let world = World::new("1.20.5");
    let outcome = world.act_until(("savepoint", &[JOB, "s3://bucket/sp"]), |flink, trigger| {
        flink.complete_savepoint(trigger, "s3://bucket/sp/savepoint-1");
    });
    assert_eq!(
        outcome.out,
        format!(
            "Triggering savepoint for job {JOB}.\nWaiting for response...\n\
             Savepoint completed. Path: s3://bucket/sp/savepoint-1\n\
             You can resume your program from this savepoint with the run command.\n"
        )
    );
    let asked = world.flink.received().into_iter().find(|it| it.method == "POST").expect("asked");
    assert_eq!(asked.body["target-directory"], "s3://bucket/sp");
    assert_eq!(asked.body["formatType"], "CANONICAL");
}

#[test]
fn an_answer_that_was_lost_does_not_lead_to_a_second_savepoint() {
    let world = World::new("1.20.5");
    world.flink.fail_next("POST", "/jobs/", Fault::CutAnswer);
    let outcome = world.drop_in.flink(&[
        "savepoint",
        "-m",
        &world.flink.address().to_string(),
        "-detached",
        JOB,
    ]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(world.flink.count("POST", "/jobs/"), 2);
    assert_eq!(world.flink.triggers().len(), 1);
}

#[test]
fn a_savepoint_that_fails_says_why() {
    let world = World::new("1.20.5");
    let outcome = world.act_until(("savepoint", &[JOB]), |flink, trigger| {
        flink.fail_savepoint(trigger, "not all required tasks are currently running");
    });
    assert_eq!(outcome.code, 1);
    assert!(outcome.notes.contains(&format!("Failed to trigger a savepoint for the job {JOB}.")));
    assert!(outcome.notes.contains("not all required tasks are currently running"));
}

#[test]
fn a_detached_savepoint_tells_its_trigger() {
    let world = World::new("2.3.0");
    let outcome = world.act("savepoint", &["-detached", "-type", "native", JOB]);
    let trigger = world.flink.triggers().pop().expect("triggered");
    let line = format!("Successfully trigger manual savepoint, triggerId: {trigger}\n");
    assert!(outcome.out.ends_with(&line), "{outcome:?}");
    let asked = world.flink.received().into_iter().find(|it| it.method == "POST").expect("asked");
    assert_eq!(asked.body["formatType"], "NATIVE");
}

#[test]
fn a_job_is_stopped_with_a_savepoint_whose_directory_may_be_left_out() {
    let world = World::new("1.20.5");
    let outcome = world.act_until(("stop", &["-d", "-p", JOB]), |flink, trigger| {
        flink.complete_savepoint(trigger, "file:/sp/savepoint-2");
    });
    assert_eq!(
        outcome.out,
        format!(
            "Draining job \"{JOB}\" with a CANONICAL savepoint.\n\
             Triggering stop-with-savepoint for job {JOB}.\nWaiting for response...\n\
             Savepoint completed. Path: file:/sp/savepoint-2\n"
        )
    );
    let asked = world.flink.received().into_iter().find(|it| it.method == "POST").expect("asked");
    assert_eq!((&asked.body["drain"], asked.body.get("targetDirectory")), (&json!(true), None));
    assert_eq!(world.flink.state(JOB), "FINISHED");
}

#[test]
fn stopping_1_13_says_and_asks_what_that_version_knows() {
    let world = World::new("1.13.6");
    let outcome = world.act_until(("stop", &["-p", "file:/sp", JOB]), |flink, trigger| {
        flink.complete_savepoint(trigger, "file:/sp/savepoint-3");
    });
    assert_eq!(
        outcome.out,
        format!(
            "Suspending job \"{JOB}\" with a savepoint.\nSavepoint completed. Path: file:/sp/savepoint-3\n"
        )
    );
    let asked = world.flink.received().into_iter().find(|it| it.method == "POST").expect("asked");
    assert_eq!(asked.body, json!({"targetDirectory": "file:/sp", "drain": false}));
}

#[test]
fn a_job_is_cancelled_with_a_savepoint() {
    let world = World::new("1.17.2");
    let outcome = world.act_until(("cancel", &["-s", "file:/sp", JOB]), |flink, trigger| {
        flink.complete_savepoint(trigger, "file:/sp/savepoint-4");
    });
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.out.starts_with("DEPRECATION WARNING: "));
    assert!(
        outcome.out.ends_with(&format!(
            "Cancelled job {JOB}. Savepoint stored in file:/sp/savepoint-4.\n"
        ))
    );
}

#[test]
fn a_savepoint_is_disposed_of() {
    let world = World::new("1.20.5");
    let begun = sample("1.20.5", "savepoint-disposal-trigger-missing");
    let trigger = begun.body["request-id"].as_str().expect("an id").to_owned();
    world.flink.script("POST", "/savepoint-disposal", begun.status, begun.body);
    let done = json!({"status": {"id": "COMPLETED"}, "operation": {}});
    world.flink.script("GET", &format!("/savepoint-disposal/{trigger}"), 200, done);
    let outcome = world.act("savepoint", &["-d", "file:/sp/savepoint-1"]);
    assert_eq!(
        outcome.out,
        "Disposing savepoint 'file:/sp/savepoint-1'.\nWaiting for response...\n\
         Savepoint 'file:/sp/savepoint-1' disposed.\n",
        "{outcome:?}"
    );
}

#[test]
fn a_checkpoint_is_taken_and_its_number_told() {
    let world = World::new("1.20.5");
    let begun = sample("1.20.5", "checkpoint-trigger");
    let trigger = begun.body["request-id"].as_str().expect("an id").to_owned();
    world.flink.script("POST", &format!("/jobs/{JOB}/checkpoints"), begun.status, begun.body);
    let done = sample("1.20.5", "checkpoint-status-completed");
    world.flink.script("GET", &format!("/jobs/{JOB}/checkpoints/{trigger}"), 200, done.body);
    let outcome = world.act("checkpoint", &["-full", JOB]);
    assert!(outcome.out.contains(&format!("Checkpoint(FULL) 17 for job {JOB} completed.")));
    let older = World::new("1.17.2").act("checkpoint", &[JOB]);
    assert!(older.out.contains("\"checkpoint\" is not a valid action."), "{older:?}");
}

#[test]
fn wrong_arguments_are_told_on_standard_output_with_a_hint() {
    let world = World::new("1.20.5");
    for (action, more, said) in [
        ("cancel", &[][..], "Missing JobID. Specify a JobID to cancel a job."),
        ("stop", &[][..], "Missing JobId"),
        ("savepoint", &["nope"][..], "Cannot parse JobID from \"nope\""),
        ("list", &["--nope"][..], "Unrecognized option: --nope"),
    ] {
        let outcome = world.act(action, more);
        assert_eq!(outcome.code, 1, "{action}");
        assert!(outcome.out.starts_with(said), "{action}: {}", outcome.out);
        assert!(outcome.out.contains("Use the help option"), "{action}");
    }
    assert_eq!(world.flink.received(), []);
}

#[test]
fn a_wait_that_no_clock_can_measure_has_no_end() {
    let world = World::new("1.20.5");
    let address = world.flink.address().to_string();
    let long =
        ["-Drest.retry.delay=9223372036854775807 s", "-Dclient.timeout=9223372036854775807 s"];
    for way in [&SESSION[..], &["-m", &address]] {
        let outcome = world.drop_in.flink(&[&["list"], way, &long].concat());
        assert_eq!(outcome.code, 0, "{way:?}: {outcome:?}");
    }
    let outcome = world.act_until(("savepoint", &[long[0], long[1], JOB]), |flink, trigger| {
        flink.complete_savepoint(trigger, "file:/sp/savepoint-5");
    });
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn a_negative_number_of_tries_is_refused() {
    let world = World::new("1.20.5");
    let outcome = world.act("list", &["-Drest.retry.max-attempts=-1"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.starts_with("rest.retry.max-attempts is \"-1\": "), "{}", outcome.out);
    assert_eq!(world.flink.received(), []);
}

#[test]
fn a_client_that_ends_before_its_action_ends_as_that_of_its_version() {
    let mut world = World::new("1.17.2");
    world.drop_in.set("FLINK_CONF_DIR", "/missing");
    for (version, code) in [("1.16.3", 1), ("1.17.2", 31)] {
        world.drop_in.set("FLINK_VERSION", version);
        let outcome = world.act("list", &[]);
        assert_eq!(outcome.code, code, "{version}: {outcome:?}");
        assert!(outcome.notes.contains("the configuration folder /missing"), "{outcome:?}");
        assert_eq!(world.drop_in.session(&[]).code, 1, "{version}: that status is bin/flink's own");
    }
}

#[test]
fn a_cluster_must_be_named_and_must_be_there() {
    let world = World::new("1.20.5");
    let unnamed = world.drop_in.flink(&["list", "-t", "kubernetes-session"]);
    assert_eq!(unnamed.code, 1);
    assert!(unnamed.notes.contains("No cluster id was specified."), "{}", unnamed.notes);
    let missing = world.act("list", &["-Dkubernetes.cluster-id=other"]);
    assert!(missing.notes.contains("Could not get the rest endpoint of other"), "{missing:?}");
    assert_eq!(world.kubernetes.writes(), [""; 0]);
}
