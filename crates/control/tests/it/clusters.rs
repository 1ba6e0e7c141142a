//! Clusters beside the local one: taken in, used, and away without harm to the others.

use std::time::Duration;

use flumen_cluster::manifest::{Place, flink_rights};
use flumen_control::{
    CheckOutcome, ClusterSource, EnvironmentDocument, Error, OperationState, Terms,
};
use flumen_model::{ClusterName, CredentialKind, EnvironmentName, Secret};
use flumen_testkit::eventually_async;
use serde_json::{Value, json};

use crate::{
    server::{PATIENCE, TestServer, environment, job, name as job_name, refusal},
    world::World,
};

impl TestServer {
    /// The job as it runs in another environment.
    async fn running_in(&self, environment: &str) {
        self.add_version_to(environment).await;
        let mut file = job();
        file["environment"] = json!(environment);
        let applied = self.apply(file).await.unwrap();
        let place = environment.parse().unwrap();
        let runs = self.control().runs(&self.principal, &place, &job_name()).await.unwrap();
        self.world.flink.add_job(&runs[0].id.to_string(), "word-count", "RUNNING");
        let ended = self.operation_ended(applied.operation.expect("it is started")).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    }

    async fn until_state_in(&self, environment: &str, wanted: &str) {
        let place = environment.parse().unwrap();
        let look = || async {
            let view = self.control().job(&self.principal, &place, &job_name()).await.unwrap();
            let state = view.state.as_str().to_owned();
            if state == wanted { Ok(()) } else { Err((state, view.job.status)) }
        };
        eventually_async(PATIENCE, look).await;
    }

    async fn cancel_in(&self, environment: &str) {
        let place = environment.parse().unwrap();
        let name = (&place, &job_name());
        self.control().cancel_job(&self.principal, name, Terms::default()).await.unwrap();
    }

    /// Ends a test whose jobs wait for a cluster that never comes.
    async fn leave(mut self) {
        self.stop().await;
        self.finished = true;
    }
}

pub(crate) fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

pub(crate) fn source(text: &impl ToString) -> ClusterSource {
    ClusterSource::Kubeconfig { text: Secret::new(text.to_string()), context: None }
}

/// The kubeconfig of the cluster of the test.
pub(crate) fn given(world: &World) -> Value {
    serde_json::from_str(&std::fs::read_to_string(world.kubeconfig()).unwrap()).unwrap()
}

/// A kubeconfig of an API server at this address, with a user.
pub(crate) fn kubeconfig(server: &str, user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
    })
    .to_string()
}

/// The cluster of the test under another name, and an environment `eu` in it.
pub(crate) async fn second_cluster(server: &TestServer) {
    let (control, given) = (server.control(), source(&given(&server.world)));
    let view = control.add_cluster(&server.principal, &name("eu-1"), &given).await.unwrap();
    assert!(view.answer.is_ok(), "{:?}", view.answer);
    let local = control.environment(&environment()).await.unwrap().document;
    save(server, "eu", EnvironmentDocument { cluster: "eu-1".to_owned(), ..local }).await;
}

pub(crate) async fn save(server: &TestServer, name: &str, document: EnvironmentDocument) {
    let name: EnvironmentName = name.parse().unwrap();
    let terms = Terms::default();
    let change = (&document, None);
    server.control().save_environment(&server.principal, &name, change, &terms).await.unwrap();
}

#[tokio::test]
async fn a_job_runs_in_a_cluster_that_was_added_and_nothing_secret_of_it_lies_open() {
    let mut server = TestServer::start().await;
    let user = &given(&server.world)["users"][0]["user"];
    let key = user["client-key-data"].as_str().unwrap().to_owned();
    second_cluster(&server).await;
    Box::pin(server.running_in("eu")).await;
    let views = server.control().clusters().await.unwrap();
    let eu = views.iter().find(|view| view.name == "eu-1").unwrap();
    assert_eq!(eu.access.credentials, Some(CredentialKind::ClientCertificate));
    assert!(!format!("{eu:?}").contains(&key));
    for file in ["flumen.db", "flumen.db-wal"] {
        let bytes = std::fs::read(server.world.directory.join("data").join(file)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&key[..40]), "{file} has the key");
    }
    // A server that starts again reads it with the key of its file.
    server.restart().await;
    server.until_state_in("eu", "RUNNING").await;
    let refused = refusal(server.control().remove_cluster(&name("eu-1")).await);
    assert!(refused.1.contains("the environments eu are in it"), "{}", refused.1);
    server.cancel_in("eu").await;
    server.until_state_in("eu", "CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_cluster_that_is_away_is_said_so_and_holds_up_no_other() {
    let server = TestServer::start().await;
    let control = server.control();
    // Nobody answers there.
    let text = kubeconfig("http://127.0.0.1:1", &json!({"token": "t"}));
    let away = control.add_cluster(&server.principal, &name("away"), &source(&text)).await.unwrap();
    assert!(away.answer.unwrap_err().reason.contains("127.0.0.1:1"));
    let local = control.environment(&environment()).await.unwrap().document;
    save(&server, "far", EnvironmentDocument { cluster: "away".to_owned(), ..local }).await;
    server.add_version_to("far").await;
    // More jobs than are worked on at once in one cluster.
    for number in 0..20 {
        let mut file = job();
        file["environment"] = json!("far");
        file["name"] = json!(format!("far-{number}"));
        server.apply(file).await.unwrap();
    }
    let look = || async {
        let all = control.jobs(&server.principal, None, None, None).await.unwrap();
        let waiting = all.iter().filter(|view| view.job.status.reason.is_some()).count();
        if waiting == 20 { Ok(()) } else { Err(waiting) }
    };
    eventually_async(PATIENCE, look).await;
    tokio::time::timeout(Duration::from_secs(20), server.running()).await.expect("held up");
    let all = control.jobs(&server.principal, None, None, None).await.unwrap();
    let far = all.iter().find(|view| view.job.environment.as_str() == "far").unwrap();
    let reason = far.job.status.reason.clone().unwrap_or_default();
    assert!(reason.contains("127.0.0.1:1") || reason.contains("does not answer"), "{reason}");
    let check = control.check_cluster("away", None).await.unwrap();
    assert_eq!(check.findings[0].name, "reachable");
    assert_eq!(check.findings[0].outcome, flumen_control::CheckOutcome::Failed);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.leave().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_name_and_not_stored() {
    let server = TestServer::start().await;
    let control = server.control();
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", "touch /tmp/x"]}});
    for (text, expected) in [
        (
            kubeconfig("https://h", &exec),
            "wants a command run, \"sh\", which this server does not run",
        ),
        (
            kubeconfig("https://h", &json!({"tokenFile": "/etc/shadow"})),
            "cannot be reached by what was given",
        ),
        ("contexts: [".to_owned(), "cannot be reached by what was given"),
    ] {
        let added = control.add_cluster(&server.principal, &name("bad"), &source(&text)).await;
        let error = added.unwrap_err();
        assert!(error.to_string().contains(expected), "{}", error.paragraph());
    }
    let local = refusal(control.remove_cluster(&name("local")).await);
    assert!(local.1.contains("can be neither added nor changed nor removed"), "{}", local.1);
    assert!(matches!(control.cluster("bad").await, Err(Error::NoCluster { .. })));
    server.finish().await;
}

#[tokio::test]
async fn the_local_cluster_is_checked_as_every_other() {
    let server = TestServer::start().await;
    let bad = async || {
        let check = server.control().check_cluster("local", None).await.unwrap();
        let findings = check.findings.into_iter();
        findings.filter(|one| one.outcome != CheckOutcome::Passed).collect::<Vec<_>>()
    };
    let without_rights = bad().await;
    let [finding] = &*without_rights else { panic!("{without_rights:?}") };
    assert_eq!(finding.name, "rights of default/default");
    assert!(finding.detail.contains("create, delete pods;"), "{}", finding.detail);
    let place = Place {
        namespace: "default".parse().unwrap(),
        accounts: vec!["default".to_owned()],
        host_network: false,
    };
    for object in flink_rights(&place) {
        server.world.create(object).await;
    }
    assert_eq!(bad().await, []);
    server.finish().await;
}
