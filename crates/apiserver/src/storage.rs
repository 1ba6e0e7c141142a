//! The state of the cluster: every object in memory as the bytes that clients get, and a log on disk that can rebuild it.
//!
//! One lock orders all writes. A write is checked against the revision it was based on, gets the next revision,
//! is appended to the log, becomes visible to readers and watches, and is answered once the disk has it.
//! What is visible before that is lost only if the whole machine dies, and everybody who saw it with it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::watch;

use self::{
    disk::Disk,
    log::{FIRST_REVISION, Operation, Record},
    recovery::UnknownKind,
};
pub(crate) use self::{
    object::Object,
    window::{Event, Expired, Window},
};
use crate::{Error, resources::Registry};

mod directory;
mod disk;
mod log;
mod object;
mod recovery;
mod window;

/// The place of a kind in the registry, which is also its place in the store.
pub(crate) type ResourceId = usize;

/// What is to happen to one object.
pub(crate) struct Change {
    pub(crate) resource: ResourceId,
    /// `namespace/name`, or `name` where there is no namespace.
    pub(crate) key: String,
    /// The revision that the change was computed from; `None` means that the object must not exist.
    pub(crate) based_on: Option<u64>,
    /// The new object, or the last state of one that is deleted.
    pub(crate) object: Value,
    pub(crate) delete: bool,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the object is not at the revision that the change was based on")]
    Stale,
    // In the words of the real server.
    #[error("etcdserver: request is too large")]
    TooLarge,
    /// Another time there may be room.
    #[error("the change could not be written to disk: {0}")]
    Disk(String),
    /// What the kernel could not bring to the disk it forgets, so from then on nobody knows what is there.
    #[error(
        "the disk failed, and what was written last may be lost: {0}; nothing more is written until the local cluster is restarted"
    )]
    DiskFailed(String),
}

struct Table {
    objects: BTreeMap<Arc<str>, Arc<Object>>,
    window: Window,
    changed: watch::Sender<u64>,
}

struct Inner {
    revision: u64,
    tables: Vec<Table>,
    log: log::Log,
    /// How long the log may be before it is folded into a snapshot.
    compact_at: u64,
}

/// All objects of the cluster.
pub(crate) struct Store {
    inner: Mutex<Inner>,
    disk: Arc<Disk>,
    registry: &'static Registry,
    directory: PathBuf,
    compact_after_bytes: u64,
    wait_for_disk: bool,
}

/// How the store is opened.
pub(crate) struct Options<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) watch_window: usize,
    pub(crate) compact_after_bytes: u64,
    pub(crate) wait_for_disk: bool,
}

impl Store {
    pub(crate) fn open(
        options: &Options<'_>,
        registry: &'static Registry,
    ) -> Result<Arc<Self>, Error> {
        let mut tables: Vec<Table> = registry
            .stored()
            .map(|_| Table {
                objects: BTreeMap::new(),
                window: Window::new(options.watch_window),
                changed: watch::Sender::new(0),
            })
            .collect();
        let recovered = recovery::recover(options.directory, |record, from_snapshot| {
            replay(&mut tables, registry, record, from_snapshot)
        })?;
        for table in &mut tables {
            table.window.start_at_least(recovered.snapshot_revision.max(FIRST_REVISION));
        }
        let revision = recovered.revision;
        let file = recovered.log.handle();
        let disk = Disk::start(options.directory, file, revision, recovered.snapshot_bytes)?;
        let store = Arc::new(Self {
            inner: Mutex::new(Inner {
                revision,
                tables,
                log: recovered.log,
                compact_at: options.compact_after_bytes,
            }),
            disk,
            registry,
            directory: options.directory.to_owned(),
            compact_after_bytes: options.compact_after_bytes,
            wait_for_disk: options.wait_for_disk,
        });
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision of the last change to anything.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    pub(crate) fn get(&self, resource: ResourceId, key: &str) -> Option<Arc<Object>> {
        self.lock().tables[resource].objects.get(key).cloned()
    }

    /// The objects of a kind in the order of their keys, with the revision that they are true for.
    pub(crate) fn list(&self, resource: ResourceId, namespace: Option<&str>) -> (Vec<Entry>, u64) {
        let inner = self.lock();
        (collect(&inner.tables[resource].objects, namespace), inner.revision)
    }

    /// The objects of a kind as they were at an earlier revision, as far as the window reaches back.
    pub(crate) fn list_at(
        &self,
        resource: ResourceId,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<Vec<Entry>, Expired> {
        let inner = self.lock();
        let table = &inner.tables[resource];
        let (events, _) = table.window.after(revision, usize::MAX, inner.revision)?;
        let mut objects: BTreeMap<Arc<str>, Arc<Object>> =
            collect(&table.objects, namespace).into_iter().collect();
        for event in events.iter().rev().filter(|event| in_namespace(&event.key, namespace)) {
            match &event.previous {
                Some(previous) => objects.insert(event.key.clone(), previous.clone()),
                None => objects.remove(&event.key),
            };
        }
        Ok(objects.into_iter().collect())
    }

    /// The events of a kind after a revision, at most `limit`, and the revision that one has seen everything up to after them.
    pub(crate) fn events_after(
        &self,
        resource: ResourceId,
        revision: u64,
        limit: usize,
    ) -> Result<(Vec<Arc<Event>>, u64), Expired> {
        let inner = self.lock();
        inner.tables[resource].window.after(revision, limit, inner.revision)
    }

    /// Tells when something of a kind changed.
    pub(crate) fn subscribe(&self, resource: ResourceId) -> watch::Receiver<u64> {
        self.lock().tables[resource].changed.subscribe()
    }

    /// Makes all changes or none, and waits until the disk has them. Whoever asked may not wait that long, or the
    /// disk may fail, and the changes are seen by everybody all the same: what must go with them belongs in `made`,
    /// which is called as soon as they are.
    pub(crate) async fn commit(
        &self,
        changes: Vec<Change>,
        made: impl FnOnce(),
    ) -> Result<Vec<Arc<Object>>, CommitError> {
        let (objects, revision) = self.append(changes)?;
        made();
        if self.wait_for_disk {
            self.disk.wait(revision).await.map_err(CommitError::DiskFailed)?;
        }
        Ok(objects)
    }

    fn append(&self, changes: Vec<Change>) -> Result<(Vec<Arc<Object>>, u64), CommitError> {
        let mut inner = self.lock();
        if let Some(why) = self.disk.failure().filter(|_| self.wait_for_disk) {
            return Err(CommitError::DiskFailed(why));
        }
        for change in &changes {
            let current = inner.tables[change.resource].objects.get(change.key.as_str());
            if current.map(|object| object.revision) != change.based_on {
                return Err(CommitError::Stale);
            }
        }
        let first = inner.revision + 1;
        let mut prepared = Vec::with_capacity(changes.len());
        for (change, revision) in changes.into_iter().zip(first..) {
            let resource = self.registry.by_id(change.resource);
            let mut object = Object::new(resource, change.object, revision);
            // What is there already may go, however large it is.
            if !change.delete {
                object = object.within_limit().ok_or(CommitError::TooLarge)?;
            }
            prepared.push((
                change.resource,
                Arc::<str>::from(change.key),
                change.delete,
                Arc::new(object),
            ));
        }
        let operations = prepared.iter().map(|(resource, key, delete, object)| Operation {
            storage: self.registry.by_id(*resource).storage,
            key,
            delete: *delete,
            json: &object.json,
        });
        inner
            .log
            .append((first, self.disk.synced()), operations)
            .map_err(|error| CommitError::Disk(error.to_string()))?;
        let last = first + prepared.len() as u64 - 1;
        inner.revision = last;
        let mut objects = Vec::with_capacity(prepared.len());
        for (resource, key, delete, object) in prepared {
            let table = &mut inner.tables[resource];
            apply(table, key, delete, object.clone());
            table.changed.send_replace(last);
            objects.push(object);
        }
        self.disk.written(last);
        if inner.log.length() > inner.compact_at.max(2 * self.disk.snapshot_bytes()) {
            self.compact(&mut inner);
        }
        Ok((objects, last))
    }

    /// Starts a new log and has the state up to now written beside it.
    fn compact(&self, inner: &mut Inner) {
        if !self.disk.begin_snapshot() {
            return;
        }
        let revision = inner.revision;
        // Everybody waits for this lock, so nothing here waits for the disk.
        match log::Log::start(&self.directory, revision, self.disk.synced()) {
            Ok(log) => {
                self.disk.rotate(log.handle());
                inner.log = log;
                inner.compact_at = self.compact_after_bytes;
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not start a new log"
                );
                inner.compact_at = inner.log.length() + self.compact_after_bytes;
                self.disk.abandon_snapshot();
                return;
            }
        }
        let objects: Vec<(&'static str, Arc<str>, Arc<Object>)> = inner
            .tables
            .iter()
            .enumerate()
            .flat_map(|(id, table)| {
                let storage = self.registry.by_id(id).storage;
                table
                    .objects
                    .iter()
                    .map(move |(key, object)| (storage, key.clone(), object.clone()))
            })
            .collect();
        self.disk.snapshot(directory::Snapshot {
            directory: self.directory.clone(),
            revision,
            objects,
        });
    }

    /// Whether writes reach the disk.
    pub(crate) fn healthy(&self) -> bool {
        self.disk.failure().is_none()
    }
}

/// A key and its object.
pub(crate) type Entry = (Arc<str>, Arc<Object>);

fn collect(objects: &BTreeMap<Arc<str>, Arc<Object>>, namespace: Option<&str>) -> Vec<Entry> {
    let clone = |(key, object): (&Arc<str>, &Arc<Object>)| (key.clone(), object.clone());
    match namespace {
        None => objects.iter().map(clone).collect(),
        Some(namespace) => {
            let from: Arc<str> = format!("{namespace}/").into();
            objects
                .range(from..)
                .take_while(|(key, _)| in_namespace(key, Some(namespace)))
                .map(clone)
                .collect()
        }
    }
}

pub(crate) fn in_namespace(key: &str, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| {
        key.strip_prefix(namespace).is_some_and(|rest| rest.starts_with('/'))
    })
}

fn apply(table: &mut Table, key: Arc<str>, delete: bool, object: Arc<Object>) {
    let previous = if delete {
        table.objects.remove(&key)
    } else {
        table.objects.insert(key.clone(), object.clone())
    };
    table.window.push(Event { revision: object.revision, key, object, previous, deleted: delete });
}

fn replay(
    tables: &mut [Table],
    registry: &'static Registry,
    record: &Record<'_>,
    from_snapshot: bool,
) -> Result<(), UnknownKind> {
    for (revision, operation) in record.operations() {
        let resource = registry
            .by_storage(operation.storage)
            .ok_or_else(|| UnknownKind(operation.storage.to_owned()))?;
        let object = Arc::new(Object::recovered(resource, operation.json, revision));
        let table = &mut tables[resource.id];
        if from_snapshot {
            table.objects.insert(operation.key.into(), object);
        } else {
            apply(table, operation.key.into(), operation.delete, object);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
