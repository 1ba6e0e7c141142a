//! Releases that are more than a job keeps, and files and images that nothing needs any more. What goes is first marked,
//! stays for a time in which it may be asked for again, and is then removed: looked at once more in the transaction that
//! writes the removal down, and only then removed itself. A server that dies between the two leaves a file that nobody
//! knows, which a later round removes, or an image whose removal is written down and goes on.

mod files;
mod images;

use std::time::Duration;

use flumen_model::Uuid;
use flumen_store::{Removal, RemovalKind};
use jiff::Timestamp;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard};
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, Retention, clock, controller::AFTER_FAULT};

/// A part of the interval passes before the first look, for a server that is often started anew.
const FIRST: u32 = 12;

/// Who makes what must not be removed meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// Held from an artifact's file to its row.
    files: RwLock<()>,
    /// Held from the look at an image to the run that has it.
    images: RwLock<()>,
    /// One round at a time.
    round: Mutex<()>,
}

impl Keeping {
    /// While this is held, no file of an artifact is removed.
    pub(crate) async fn taking(&self) -> RwLockReadGuard<'_, ()> {
        self.files.read().await
    }

    /// While this is held, no image is removed.
    pub(crate) async fn building(&self) -> RwLockReadGuard<'_, ()> {
        self.images.read().await
    }
}

/// What became of something that nothing needs, or would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposed {
    /// What sort of thing.
    pub kind: RemovalKind,
    /// What it is called.
    pub name: String,
    /// How many bytes it has; of an image, those that were sent for it.
    pub bytes: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of what nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is removed.
    Removed,
    /// It would be removed now.
    Due,
    /// It is kept for the time being.
    Kept {
        /// Until then, if that is known.
        until: Option<Timestamp>,
        /// Why it could not be removed, if it could not.
        reason: Option<String>,
    },
}

/// All that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposal {
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Releases, then files, then images.
    pub items: Vec<Disposed>,
}

impl Control {
    /// Removes what nothing needs and has been unused for long enough, or says what that is.
    ///
    /// # Errors
    /// What the database or the disk says. What a registry says is in the answer.
    pub async fn dispose(&self, dry_run: bool) -> Result<Disposal, Error> {
        let _round = self.keeping().round.lock().await;
        let mut round = Round::new(self, dry_run);
        round.releases().await?;
        if !dry_run {
            round.builds().await?;
            self.store().mark_unused(round.now).await?;
        }
        files::remove(&mut round).await?;
        images::remove(&mut round).await?;
        let items = round.items;
        Ok(Disposal { dry_run, items })
    }

    /// What was removed, newest first.
    pub async fn removals(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<Removal>, Error> {
        Ok(self.store().removals(after, limit).await?)
    }
}

/// Looks for what nothing needs, until told to stop.
pub(crate) async fn run(control: Control, stop: CancellationToken) {
    let Retention { every, .. } = control.settings().retention;
    let mut wait: Duration = every / FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        // Left where it is when the server stops: each step is written down before it is taken.
        let disposed = tokio::select! {
            () = stop.cancelled() => return,
            disposed = control.dispose(false) => disposed,
        };
        wait = match disposed {
            Ok(disposal) => {
                tell(&disposal);
                every
            }
            Err(error) => {
                tracing::warn!(
                    error = error.paragraph(),
                    "what nothing needs any more could not be removed"
                );
                every.min(AFTER_FAULT * 60)
            }
        };
    }
}

fn tell(disposal: &Disposal) {
    for item in &disposal.items {
        let (name, size_bytes) = (&item.name, item.bytes);
        match &item.fate {
            Fate::Removed => {
                tracing::info!(kind = ?item.kind, name, size_bytes, "removed what nothing needs");
            }
            Fate::Kept { reason: Some(reason), .. } => {
                tracing::warn!(kind = ?item.kind, name, reason, "could not remove what nothing needs");
            }
            Fate::Due | Fate::Kept { .. } => {}
        }
    }
}

/// One look.
struct Round<'a> {
    control: &'a Control,
    retention: Retention,
    dry_run: bool,
    now: Timestamp,
    items: Vec<Disposed>,
}

impl<'a> Round<'a> {
    fn new(control: &'a Control, dry_run: bool) -> Self {
        let retention = control.settings().retention;
        Self { control, retention, dry_run, now: clock::now(), items: Vec::new() }
    }

    async fn releases(&mut self) -> Result<(), Error> {
        let keep = self.retention.releases;
        let store = self.control.store();
        for release in store.surplus_releases(keep).await? {
            let fate = if self.dry_run {
                Fate::Due
            } else {
                let removal = self.removal(RemovalKind::Release, &release.name, 0);
                if !store.remove_release(&release, keep, &removal).await? {
                    continue;
                }
                Fate::Removed
            };
            self.add(RemovalKind::Release, release.name, 0, fate);
        }
        Ok(())
    }

    /// Builds of projects are records, and go with their logs; what they made is a file as any other.
    async fn builds(&self) -> Result<(), Error> {
        for build in self.control.store().surplus_builds(self.retention.releases).await? {
            self.control.remove_build_log(build).await?;
            self.control.store().forget_build(build).await?;
        }
        Ok(())
    }

    /// Until when something stays that nothing needs since then; none if it goes now.
    fn until(&self, since: Option<Timestamp>) -> Option<Timestamp> {
        let until = since.unwrap_or(self.now).saturating_add(self.retention.unused);
        let until = until.unwrap_or(Timestamp::MAX);
        (until > self.now).then_some(until)
    }

    /// What is unused since then or before goes.
    fn cutoff(&self) -> Timestamp {
        self.now.saturating_sub(self.retention.unused).unwrap_or(Timestamp::MIN)
    }

    fn removal(&self, kind: RemovalKind, name: &str, bytes: u64) -> Removal {
        Removal { id: Uuid::now_v7(), at: self.now, kind, name: name.to_owned(), bytes }
    }

    fn add(&mut self, kind: RemovalKind, name: String, bytes: u64, fate: Fate) {
        self.items.push(Disposed { kind, name, bytes, fate });
    }
}
