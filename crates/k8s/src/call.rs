//! One call to the API server: its time limit, and the repetition of reads.

use std::time::Duration;

use crate::{Cause, Cluster};

/// Pauses before a read is repeated. Together they outlast a restart of the local cluster's API server,
/// not an outage: that is told to the caller.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

impl Cluster {
    /// Sends something once.
    pub(crate) async fn once<T>(
        &self,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Cause> {
        self.within(self.timeouts.call, call).await
    }

    /// Changes something, once, between the two points of this effect.
    pub(crate) async fn change<T>(
        &self,
        effect: &'static str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Cause> {
        let no_answer = || Cause::TimedOut(self.timeouts.call);
        self.faults.around(effect, self.once(call), no_answer).await
    }

    /// Sends something once, with a limit of its own.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Cause> {
        match tokio::time::timeout(limit, call).await {
            Ok(result) => result.map_err(|error| self.cause(error)),
            Err(_elapsed) => Err(Cause::TimedOut(limit)),
        }
    }

    /// Reads something, again where the server was away or busy.
    pub(crate) async fn read<T, F>(&self, call: impl Fn() -> F) -> Result<T, Cause>
    where
        F: Future<Output = kube::Result<T>>,
    {
        for pause in PAUSES {
            match self.once(call()).await {
                Err(cause) if is_passing(&cause) => tokio::time::sleep(pause).await,
                result => return result,
            }
        }
        self.once(call()).await
    }
}

/// A time-out is not repeated: the caller has waited long enough and can say so.
fn is_passing(cause: &Cause) -> bool {
    match cause {
        Cause::Unreachable { .. } => true,
        Cause::Refused { code, .. } => matches!(code, 429 | 503 | 504),
        _ => false,
    }
}
