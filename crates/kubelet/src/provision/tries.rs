//! Each object is tried again on its own, later and later, so that one that cannot be served holds up no other.

use std::{collections::HashMap, time::Duration};

use tokio::task::{AbortHandle, JoinSet};

const LONGEST: Duration = Duration::from_secs(30);

/// The tasks of objects, by uid; they end with it.
#[derive(Default)]
pub(super) struct Tasks {
    all: JoinSet<()>,
    by_uid: HashMap<String, AbortHandle>,
}

impl Tasks {
    /// Starts the task of an object, unless it is running: then it looks at the object again by itself.
    pub(super) fn start(&mut self, uid: String, task: impl Future<Output = ()> + Send + 'static) {
        while self.all.try_join_next().is_some() {}
        self.by_uid.retain(|_, task| !task.is_finished());
        let all = &mut self.all;
        self.by_uid.entry(uid).or_insert_with(|| all.spawn(task));
    }
}

/// A pause that is twice as long each time.
pub(super) struct Pause(Duration);

impl Pause {
    pub(super) fn from(first: Duration) -> Self {
        Self(first)
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
