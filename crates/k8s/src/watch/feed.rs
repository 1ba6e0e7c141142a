//! The observations of one kind of object. It differs from the client library's watcher in two ways that
//! matter here: a watch that stands again after an outage is said so at once, even if nothing happens, and
//! what vanished during the outage is reported as gone.

use std::{collections::HashMap, time::Duration};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use kube::{
    Api, Resource,
    api::{ListParams, WatchEvent, WatchParams},
};
use tokio::time::Instant;

use super::Seen;
use crate::{Cause, Cluster, Observation, clock};

/// Objects that are asked for at once in a list.
const PAGE: u32 = 500;
/// Pauses while the server does not answer; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// With this and the pauses of the questions to a JobManager, what is so is known within 5 s of an outage.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A watch request that ends sooner than this is not made again at once.
const SHORT: Duration = Duration::from_secs(1);

/// Names an object for as long as it lives: one made anew under the same name is another.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    namespace: String,
    name: String,
    uid: String,
}

impl Key {
    fn of(object: &impl Resource) -> Self {
        let metadata = object.meta();
        Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
        }
    }
}

/// What is done next.
enum State<K> {
    /// List everything.
    List { after: Duration },
    /// Ask for what changed since a version.
    Open { version: String, after: Duration },
    /// Hear what changes.
    Hear(Hearing<K>),
}

struct Hearing<K> {
    events: BoxStream<'static, kube::Result<WatchEvent<K>>>,
    version: String,
    opened: Instant,
    /// When something was heard last.
    heard: Timestamp,
}

pub(crate) struct Feed<K: Seen> {
    cluster: Cluster,
    api: Api<K>,
    selector: String,
    state: State<K>,
    known: HashMap<Key, K::View>,
    /// Whether an outage was reported and has not ended.
    unreachable: bool,
    /// When the connection broke, if that was before the attempt that failed.
    broken: Option<Timestamp>,
    pause: Duration,
}

impl<K: Seen> Feed<K> {
    pub(crate) fn new(cluster: Cluster, api: Api<K>, selector: String) -> Self {
        Self {
            cluster,
            api,
            selector,
            state: State::List { after: Duration::ZERO },
            known: HashMap::new(),
            unreachable: false,
            broken: None,
            pause: FIRST_PAUSE,
        }
    }

    pub(crate) fn stream(self) -> impl Stream<Item = Observation> {
        stream::unfold(self, |mut feed| async move {
            let observations = feed.step().await;
            Some((stream::iter(observations), feed))
        })
        .flatten()
    }

    async fn step(&mut self) -> Vec<Observation> {
        // If nothing else is said, everything is listed again.
        match std::mem::replace(&mut self.state, State::List { after: Duration::ZERO }) {
            State::List { after } => {
                tokio::time::sleep(after).await;
                self.list().await
            }
            State::Open { version, after } => {
                tokio::time::sleep(after).await;
                self.open(version).await
            }
            State::Hear(hearing) => self.hear(hearing).await,
        }
    }

    async fn list(&mut self) -> Vec<Observation> {
        let as_of = clock::now();
        let (objects, version) = match all_pages(&self.cluster, &self.api, &self.selector).await {
            Ok(listed) => listed,
            Err(cause) => return self.failed(&cause),
        };
        self.unreachable = false;
        self.broken = None;
        self.state = State::Open { version, after: Duration::ZERO };
        let mut observations = self.replace(objects, as_of);
        observations.push(Observation::Resync { watched: K::WATCHED, as_of });
        observations
    }

    async fn open(&mut self, version: String) -> Vec<Observation> {
        let seconds = self.cluster.timeouts.watch.as_secs().clamp(1, 290);
        let seconds = u32::try_from(seconds).unwrap_or(290);
        let params = WatchParams::default().labels(&self.selector).timeout(seconds);
        match self.cluster.once(self.api.watch(&params, &version)).await {
            Ok(events) => {
                self.broken = None;
                self.pause = FIRST_PAUSE;
                self.state = State::Hear(Hearing {
                    events: events.boxed(),
                    version,
                    opened: Instant::now(),
                    heard: clock::now(),
                });
                Vec::new()
            }
            Err(Cause::Refused { code: 410, .. }) => self.expired(),
            Err(cause) => self.failed(&cause),
        }
    }

    async fn hear(&mut self, mut hearing: Hearing<K>) -> Vec<Observation> {
        // The server ends a request in time. One that does not can no longer be heard.
        let limit = self.cluster.timeouts.watch + self.cluster.timeouts.call;
        let event = tokio::time::timeout_at(hearing.opened + limit, hearing.events.next()).await;
        let Ok(event) = event else {
            self.broken = Some(hearing.heard);
            return self.failed(&Cause::TimedOut(limit));
        };
        let (object, deleted) = match event {
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => (object, false),
            Some(Ok(WatchEvent::Deleted(object))) => (object, true),
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                hearing.version = bookmark.metadata.resource_version;
                hearing.heard = clock::now();
                self.state = State::Hear(hearing);
                return Vec::new();
            }
            Some(Ok(WatchEvent::Error(status))) if status.code == 410 => return self.expired(),
            Some(Ok(WatchEvent::Error(status))) => {
                return self.failed(&self.cluster.cause(kube::Error::Api(status)));
            }
            Some(Err(error @ kube::Error::SerdeError(_))) => {
                return self.failed(&self.cluster.cause(error));
            }
            ended => {
                if let Some(Err(error)) = ended {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(error, kind = ?K::WATCHED, "a watch broke");
                    self.broken = Some(clock::now());
                }
                // Connections are cut for many reasons: only a request that is refused is an outage.
                let after = if hearing.opened.elapsed() < SHORT { SHORT } else { Duration::ZERO };
                self.state = State::Open { version: hearing.version, after };
                return Vec::new();
            }
        };
        hearing.heard = clock::now();
        if let Some(version) = &object.meta().resource_version {
            hearing.version.clone_from(version);
        }
        self.state = State::Hear(hearing);
        self.fold(&object, deleted).into_iter().collect()
    }

    /// The server has forgotten the version: no outage, but only a list helps.
    fn expired(&mut self) -> Vec<Observation> {
        self.state = State::List { after: FIRST_PAUSE };
        Vec::new()
    }

    fn failed(&mut self, cause: &Cause) -> Vec<Observation> {
        let since = self.broken.take().unwrap_or_else(clock::now);
        self.state = State::List { after: self.pause };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        if std::mem::replace(&mut self.unreachable, true) {
            return Vec::new();
        }
        vec![Observation::Unreachable { watched: K::WATCHED, since, reason: cause.to_string() }]
    }

    /// Takes a whole list: what is gone, then what is new or changed.
    fn replace(&mut self, objects: Vec<K>, as_of: Timestamp) -> Vec<Observation> {
        let mut before = std::mem::take(&mut self.known);
        let mut changed = Vec::new();
        for object in objects {
            let Some(view) = object.view() else { continue };
            let key = Key::of(&object);
            if before.remove(&key).as_ref() != Some(&view) {
                changed.push(K::seen(view.clone()));
            }
            self.known.insert(key, view);
        }
        let gone = before.into_values().map(|view| K::gone(view, as_of));
        gone.chain(changed).collect()
    }

    fn fold(&mut self, object: &K, deleted: bool) -> Option<Observation> {
        let key = Key::of(object);
        if deleted {
            return self.known.remove(&key).map(|view| K::gone(view, clock::now()));
        }
        let view = object.view()?;
        let before = self.known.insert(key, view.clone());
        (before.as_ref() != Some(&view)).then(|| K::seen(view))
    }
}

/// All objects, and the version from which a watch goes on.
async fn all_pages<K: Seen>(
    cluster: &Cluster,
    api: &Api<K>,
    selector: &str,
) -> Result<(Vec<K>, String), Cause> {
    let mut objects = Vec::new();
    let mut page = ListParams::default().labels(selector).limit(PAGE);
    loop {
        let found = cluster.once(api.list(&page)).await?;
        objects.extend(found.items);
        match found.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page.continue_token = Some(token),
            None => return Ok((objects, found.metadata.resource_version.unwrap_or_default())),
        }
    }
}
