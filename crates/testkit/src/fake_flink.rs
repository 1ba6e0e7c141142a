//! A JobManager that is only a REST API: answers are the recorded ones with this job's id, name and state.

mod answers;
mod clock;
mod faults;
mod history;
mod snapshots;
mod storage;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{Method, Uri},
    response::Response,
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::faults::Fault;
use self::{faults::Planned, history::History, snapshots::Trigger, storage::Storage};

/// A fake JobManager on a port of its own on 127.0.0.1, until it is dropped.
#[derive(Debug)]
pub struct FakeFlink {
    address: SocketAddr,
    shared: Shared,
    server: JoinHandle<()>,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// For example `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; null where it was empty, a text where it was no JSON.
    pub body: Value,
}

type Shared = Arc<Mutex<World>>;

/// What the JobManager knows.
#[derive(Debug)]
struct World {
    version: String,
    ready: bool,
    jobs: BTreeMap<String, Job>,
    triggers: BTreeMap<String, Trigger>,
    auto_savepoints: bool,
    storage: Storage,
    scripted: BTreeMap<(String, String), (u16, Value)>,
    faults: Vec<Planned>,
    received: Vec<Received>,
}

#[derive(Debug, Clone)]
struct Job {
    name: String,
    state: String,
    /// States that it takes on one by one, each time the job overview is asked for.
    next: VecDeque<String>,
    history: History,
}

impl FakeFlink {
    /// Starts a JobManager of a recorded version (see [`VERSIONS`](crate::VERSIONS)) without jobs.
    pub async fn start(version: &str) -> Self {
        let world = World {
            version: version.to_owned(),
            ready: true,
            jobs: BTreeMap::new(),
            triggers: BTreeMap::new(),
            auto_savepoints: false,
            storage: Storage::default(),
            scripted: BTreeMap::new(),
            faults: Vec::new(),
            received: Vec::new(),
        };
        let shared = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it has a leader; without one everything is answered with 503.
    pub fn set_ready(&self, ready: bool) {
        self.world().ready = ready;
    }

    /// Adds a job (32 hex digits) in a state such as `RUNNING`.
    pub fn add_job(&self, id: &str, name: &str, state: &str) {
        let job = Job {
            name: name.to_owned(),
            state: state.to_owned(),
            next: VecDeque::new(),
            history: History::default(),
        };
        self.world().jobs.insert(id.to_owned(), job);
    }

    /// Whether there is such a job.
    pub fn has_job(&self, id: &str) -> bool {
        self.world().jobs.contains_key(id)
    }

    /// Puts a job into a state.
    pub fn set_state(&self, id: &str, state: &str) {
        let mut world = self.world();
        assert!(world.jobs.contains_key(id), "the job was added");
        world.enter(id, state);
    }

    /// The state of a job.
    pub fn state(&self, id: &str) -> String {
        self.world().jobs.get(id).expect("the job was added").state.clone()
    }

    /// Lets a job take on these states one by one, each time the job overview is asked for.
    pub fn play(&self, id: &str, states: &[&str]) {
        let next = states.iter().map(|state| (*state).to_owned()).collect();
        self.world().jobs.get_mut(id).expect("the job was added").next = next;
    }

    /// Takes a job away, as a JobManager that restarted without high availability does.
    pub fn forget_job(&self, id: &str) {
        self.world().jobs.remove(id);
    }

    /// Answers this method and path (without query) so from now on.
    pub fn script(&self, method: &str, path: &str, status: u16, body: Value) {
        self.world().scripted.insert((method.to_owned(), path.to_owned()), (status, body));
    }

    /// Treats the next request with this method and a path that begins so in this way.
    pub fn fail_next(&self, method: &str, path: &str, fault: Fault) {
        self.world().faults.push(Planned::new(method, path, fault));
    }

    /// All requests that came in, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.world().received.clone()
    }

    /// How many requests came in with this method and a path that begins so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let world = self.world();
        let of = |one: &&Received| one.method == method && one.path.starts_with(path);
        world.received.iter().filter(of).count()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.lock().expect("no test panicked while it held the lock")
    }
}

impl Drop for FakeFlink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response<Body> {
    let (fault, answer) = {
        let mut world = shared.lock().unwrap();
        let received = Received {
            method: method.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            body: match serde_json::from_slice(&body) {
                Ok(json) => json,
                Err(_) if body.is_empty() => Value::Null,
                Err(_) => String::from_utf8_lossy(&body).into_owned().into(),
            },
        };
        world.received.push(received.clone());
        let fault = world.take_fault(&received);
        if let Some(refusal) = fault.as_ref().and_then(Fault::refusal) {
            return refusal;
        }
        (fault, world.answer(&received, uri.path()))
    };
    match fault {
        Some(fault) => fault.spoil(answer).await,
        None => faults::whole(&answer),
    }
}
