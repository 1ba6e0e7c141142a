use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The long-running tasks of a server. Each is told to stop by its token; the group waits for all.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// A group that stops when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { tracker: TaskTracker::new(), stop }
    }

    /// The token that stops the group.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Starts a task; its name stands in the log.
    pub fn spawn<F>(&self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.stop.clone());
        self.tracker.spawn(async move {
            task.await;
            tracing::debug!(task = name, "the task ended");
        });
    }

    /// Tells all to stop and waits for them; says whether they did in time.
    pub async fn stop_within(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}
