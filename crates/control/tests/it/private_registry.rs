//! A registry that wants to know who pushes and pulls.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_control::{ApplyJob, CheckOutcome, RegistryAccess, RemovalKind};
use flumen_image::{Client, Credential, Reference, Settings};
use flumen_model::Kind;
use flumen_testkit::eventually_async;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    server::{JAR, TestServer, application, done, job, refusal},
    world::World,
};

/// Of `team:secret`.
const BASIC: &str = "Basic dGVhbTpzZWNyZXQ=";

struct Guarded {
    server: TestServer,
    registry: SocketAddr,
    _guard: JoinSet<()>,
}

/// A server whose environment has such a registry, and who knows the password.
async fn guarded() -> Guarded {
    let mut world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = listener.local_addr().unwrap();
    let routes = Router::new().fallback(pass).with_state(world.registry.clone());
    let mut guard = JoinSet::new();
    guard.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    world.registry = registry.to_string();
    let known = json!({"auths": {registry.to_string(): {"auth": "dGVhbTpzZWNyZXQ="}}});
    let file = world.directory.join("config.json");
    world.directory.write("config.json", known.to_string());
    world.registries = RegistryAccess { credential_files: vec![file], ..RegistryAccess::default() };
    Guarded { server: TestServer::start_in(world).await, registry, _guard: guard }
}

/// Lets pass on to the registry behind it whoever has the password.
async fn pass(State(behind): State<String>, request: Request) -> Response {
    let known = request.headers().get(header::AUTHORIZATION).is_some_and(|it| it == BASIC);
    if !known {
        let realm = [(header::WWW_AUTHENTICATE, "Basic realm=\"registry\"")];
        return (StatusCode::UNAUTHORIZED, realm).into_response();
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let sent = reqwest::Client::new()
        .request(parts.method, format!("http://{behind}{path}"))
        .headers(parts.headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await
        .unwrap();
    let (status, headers) = (sent.status(), sent.headers().clone());
    (status, headers, Body::from_stream(sent.bytes_stream())).into_response()
}

impl Guarded {
    async fn apply(&self, secrets: Option<&str>) -> Result<Vec<String>, flumen_control::Error> {
        let mut file = job();
        if let Some(secrets) = secrets {
            file["configuration"] = json!({"kubernetes.container.image.pull-secrets": secrets});
        }
        let apply = ApplyJob { start: true, ..application(file, &JAR) };
        self.server
            .control()
            .apply_job(&self.server.principal, apply)
            .await
            .map(|it| done(it).warnings)
    }

    async fn create(&self, object: Value) {
        self.server.world.create(object).await;
    }

    /// Whether the image of the run is there, for this one.
    async fn has_image(&self, credential: Option<Credential>) -> Result<bool, flumen_image::Error> {
        let image: Reference = self.server.runs().await[0].image.clone().unwrap().parse().unwrap();
        let credentials =
            credential.map(|it| (self.registry.to_string(), it)).into_iter().collect();
        let client = Client::new(Settings { credentials, ..Settings::default() }).unwrap();
        Ok(client.manifest_digest(&image).await?.is_some())
    }
}

#[tokio::test]
async fn images_are_pushed_and_removed_with_the_credentials_of_the_server() {
    let guarded = guarded().await;
    let warnings = guarded.apply(None).await.unwrap();
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    for words in [guarded.registry.to_string().as_str(), "service account default", "pull-secrets"]
    {
        assert!(warning.contains(words), "{words:?} is not in: {warning}");
    }
    let server = &guarded.server;
    eventually_async(Duration::from_secs(30), async || {
        let run = server.runs().await.remove(0);
        run.image.map(drop).ok_or("the image is not pushed yet")
    })
    .await;
    let team = || Some(Credential::basic("team", "secret"));
    assert!(guarded.has_image(team()).await.unwrap());
    assert_eq!(guarded.has_image(None).await.expect_err("nobody").kind(), Kind::Denied);
    server.operation_ended(server.delete().await).await;
    server.until_gone().await;
    let removed = server.control().dispose(None, false).await.unwrap().items;
    assert!(removed.iter().any(|it| it.kind == RemovalKind::Image), "{removed:?}");
    guarded.server.finish().await;
}

#[tokio::test]
async fn a_private_image_without_the_secret_that_the_job_names_is_refused() {
    let guarded = guarded().await;
    let (kind, text) = refusal(guarded.apply(Some("gone")).await);
    assert_eq!(kind, Kind::Invalid);
    for words in
        ["without credentials", "the Secret gone, ", "kubectl create secret docker-registry gone"]
    {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "there"}});
    guarded.create(secret).await;
    let warnings = guarded.apply(Some("there")).await.unwrap();
    assert_eq!(warnings, [""; 0]);
    guarded.server.operation_ended(guarded.server.cancel().await).await;
    guarded.server.finish().await;
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_said() {
    let guarded = guarded().await;
    guarded.server.world.directory.write("config.json", "{");
    let operation = {
        let apply = ApplyJob { start: true, ..application(job(), &JAR) };
        let server = &guarded.server;
        let applied = server.control().apply_job(&server.principal, apply).await;
        done(applied.unwrap()).operation.unwrap()
    };
    let ended = guarded.server.operation_ended(operation).await;
    let said = ended.error.expect("it failed");
    assert!(said.contains("config.json"), "{said}");
    guarded.server.finish().await;
}

#[tokio::test]
async fn a_check_says_where_the_server_takes_credentials_from() {
    let guarded = guarded().await;
    let control = guarded.server.control();
    let local = "local".parse().unwrap();
    let found = control.check_environment(&local).await.unwrap();
    assert_eq!(found[0].outcome, CheckOutcome::Passed, "{found:?}");
    guarded.server.world.directory.write("config.json", r#"{"auths": {}}"#);
    let found = control.check_environment(&local).await.unwrap();
    assert_eq!(found[0].outcome, CheckOutcome::Failed, "{found:?}");
    let remedy = found[0].remedy.as_deref().unwrap_or_default();
    assert!(remedy.contains("`flumen serve --registry-credentials FILE`"), "{found:?}");
    guarded.server.finish().await;
}
