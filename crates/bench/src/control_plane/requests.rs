//! Requests one by one and many at a time, as a client sees them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use serde_json::{Value, json};

/// Where the timed objects are.
const HERE: &str = "/api/v1/namespaces/default/configmaps";
/// Where those are that are only listed.
const LISTED: &str = "/api/v1/namespaces/listed/configmaps";
const LISTED_COUNT: usize = 1000;
/// Who may read the timed objects by a role, among many who may not.
const READER: &str = "system:serviceaccount:default:reader";
const OTHER_BINDINGS: usize = 100;
const RIGHTS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
/// Timed requests of a kind in a round.
const TIMED: usize = 200;
const TIMED_LISTS: usize = 20;
/// Clients that write at the same time.
const WRITERS: usize = 64;
const WRITE_FOR: Duration = Duration::from_secs(5);

/// How long requests of a kind took.
pub(crate) struct Latencies(Vec<Duration>);

/// The requests of one round.
pub(crate) struct Round {
    pub(crate) create: Latencies,
    /// From the start of a creation until a watch had the object.
    pub(crate) event: Latencies,
    pub(crate) get: Latencies,
    /// The same by one whose rights must be looked up.
    pub(crate) judged: Latencies,
    pub(crate) patch: Latencies,
    pub(crate) list: Latencies,
}

impl Latencies {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    fn at(&self, part: f64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let place = (self.0.len() as f64 * part).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.at(0.5)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.at(0.99)
    }

    pub(crate) fn longest(&self) -> Duration {
        self.at(1.0)
    }
}

pub(crate) fn config_map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"text": "x".repeat(1024)}})
}

/// A request and its whole answer.
pub(crate) async fn send(
    client: &Client,
    method: http::Method,
    path: &str,
    body: &Value,
) -> Result<String> {
    let kind = if method == http::Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = http::Request::builder().method(&method).uri(path).header("content-type", kind);
    let answer = client.request_text(request.body(bytes)?).await;
    answer.with_context(|| format!("{method} {path}"))
}

/// Reads an answer to its end and drops it, so that the time is the server's rather than this client's; its length.
pub(crate) async fn read(client: &Client, path: &str) -> Result<usize> {
    let answer = client.request_stream(http::Request::get(path).body(Vec::new())?).await;
    let mut answer = Box::pin(answer.with_context(|| format!("GET {path}"))?);
    let mut length = 0;
    loop {
        let piece = answer.fill_buf().await.with_context(|| format!("GET {path}"))?.len();
        if piece == 0 {
            return Ok(length);
        }
        answer.consume_unpin(piece);
        length += piece;
    }
}

async fn timed(
    client: &Client,
    method: http::Method,
    path: &str,
    body: &Value,
) -> Result<Duration> {
    let began = Instant::now();
    send(client, method, path, body).await?;
    Ok(began.elapsed())
}

/// Makes what is listed.
pub(crate) async fn prepare(client: &Client) -> Result<()> {
    let namespace = json!({"metadata": {"name": "listed"}});
    send(client, http::Method::POST, "/api/v1/namespaces", &namespace).await?;
    let objects: Vec<_> = (0..LISTED_COUNT).map(|one| config_map(&format!("c-{one}"))).collect();
    create_all(client, LISTED, &objects).await?;
    let may_get = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]});
    let role = json!({"metadata": {"name": "reader"}, "rules": [may_get]});
    send(client, http::Method::POST, &format!("{RIGHTS}/roles"), &role).await?;
    let bindings: Vec<_> = (0..OTHER_BINDINGS)
        .map(|one| binding(&format!("other-{one}")))
        .chain([binding("reader")])
        .collect();
    create_all(client, &format!("{RIGHTS}/rolebindings"), &bindings).await
}

/// Gives an account the right to read.
fn binding(account: &str) -> Value {
    json!({
        "metadata": {"name": account},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}],
    })
}

/// Creates objects, many at a time.
pub(crate) async fn create_all(client: &Client, path: &str, objects: &[Value]) -> Result<()> {
    let create = |object| async move { send(client, http::Method::POST, path, object).await };
    stream::iter(objects)
        .map(create)
        .buffer_unordered(WRITERS)
        .try_for_each(|_| async { Ok(()) })
        .await
}

/// The lines of a watch that is open when this returns.
pub(crate) async fn watch(
    client: &Client,
    path: &str,
) -> Result<impl futures::Stream<Item = std::io::Result<String>> + use<>> {
    let list: Value = serde_json::from_str(
        &send(client, http::Method::GET, &format!("{path}?limit=1"), &Value::Null).await?,
    )?;
    let version = list["metadata"]["resourceVersion"].as_str().context("a list has a version")?;
    let path = format!("{path}?watch=true&resourceVersion={version}");
    let events = client.request_stream(http::Request::get(&path).body(Vec::new())?).await;
    Ok(events.with_context(|| format!("GET {path}"))?.lines())
}

/// Each kind of request a number of times, one after the other.
pub(crate) async fn round(client: &Client, run: usize) -> Result<Round> {
    let names: Vec<String> = (0..TIMED).map(|one| format!("r{run}-{one}")).collect();
    let paths: Vec<String> = names.iter().map(|name| format!("{HERE}/{name}")).collect();
    let mut events = Box::pin(watch(client, HERE).await?);
    let arrived = tokio::spawn(async move {
        let mut arrived = Vec::with_capacity(TIMED);
        while arrived.len() < TIMED {
            let line = events.next().await.context("the watch ended")??;
            if line.starts_with("{\"type\":\"ADDED\"") {
                arrived.push(Instant::now());
            }
        }
        anyhow::Ok(arrived)
    });
    let (mut create, mut begun) = (Vec::new(), Vec::new());
    for name in &names {
        let object = config_map(name);
        begun.push(Instant::now());
        create.push(timed(client, http::Method::POST, HERE, &object).await?);
    }
    let arrived = arrived.await.context("the watch ended in a panic")??;
    let event = begun.iter().zip(arrived).map(|(begun, at)| at.duration_since(*begun)).collect();
    let (mut get, mut patch, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for path in &paths {
        get.push(timed(client, http::Method::GET, path, &Value::Null).await?);
    }
    let mut judged = Vec::new();
    for path in &paths {
        let request = http::Request::get(path).header("impersonate-user", READER);
        let asked = Instant::now();
        let answer = client.request_text(request.body(Vec::new())?).await;
        answer.with_context(|| format!("GET {path} as {READER}"))?;
        judged.push(asked.elapsed());
    }
    let change = json!({"data": {"more": "y"}});
    for path in &paths {
        patch.push(timed(client, http::Method::PATCH, path, &change).await?);
    }
    for _ in 0..TIMED_LISTS {
        list.push(timed(client, http::Method::GET, LISTED, &Value::Null).await?);
    }
    for path in &paths {
        send(client, http::Method::DELETE, path, &Value::Null).await?;
    }
    let [create, event, get, judged, patch, list] =
        [create, event, get, judged, patch, list].map(Latencies::of);
    Ok(Round { create, event, get, judged, patch, list })
}

/// Creations in a second, many at a time.
pub(crate) async fn writes(client: &Client, run: usize) -> Result<f64> {
    let namespace = format!("writes-{run}");
    let object = json!({"metadata": {"name": namespace}});
    send(client, http::Method::POST, "/api/v1/namespaces", &object).await?;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let began = Instant::now();
    let writer = |writer: usize| {
        let (client, path) = (client.clone(), path.clone());
        async move {
            let mut count = 0u32;
            while began.elapsed() < WRITE_FOR {
                let object = config_map(&format!("w{writer}-{count}"));
                send(&client, http::Method::POST, &path, &object).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }
    };
    let counts: Vec<u32> = stream::iter((0..WRITERS).map(|one| tokio::spawn(writer(one))))
        .buffer_unordered(WRITERS)
        .map(|joined| joined.context("a writer ended in a panic")?)
        .try_collect()
        .await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64())
}
