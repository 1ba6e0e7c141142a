//! What Flink itself says of a script: explained in a pod of its version, which is there for that alone. The pod is written
//! down before it is created and forgotten when it is deleted, so that one that a server left is found.

mod answer;
mod failure;
mod pod;
mod prepare;
mod sweep;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use flumen_model::{
    ClusterId, ConfigurationValue, Dependency, EnvironmentName, FlinkVersion, PodTemplates,
    Resources, Uuid,
};
use flumen_sql::{Report, Script};
use flumen_store::{Explanation, Principal};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, UploadedArtifact};

pub use answer::{SqlExplanation, SqlFinding, SqlRefusal, SqlStatement};
pub use failure::ExplanationFailure;
pub(crate) use sweep::run;

/// How long an explanation takes at most where nobody says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// How long it may be said to take.
const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_mins(15);

/// How many scripts are explained at once: each takes what a JobManager takes.
const SIDE_BY_SIDE: usize = 4;

/// A script, and what it is for.
#[derive(Debug, Clone)]
pub struct ExplainSql {
    /// Its text.
    pub script: String,
    /// The Flink version.
    pub flink_version: FlinkVersion,
    /// Where the pod runs.
    pub environment: EnvironmentName,
    /// What the job has beside the script.
    pub dependencies: Vec<Dependency>,
    /// The files among them, uploaded before.
    pub artifacts: Vec<UploadedArtifact>,
    /// The Flink configuration of the job.
    pub configuration: BTreeMap<String, ConfigurationValue>,
    /// `parallelism.default` of the job. Default: what the configuration says.
    pub parallelism: Option<u32>,
    /// CPU and memory of the job.
    pub resources: Resources,
    /// Pod templates of the job.
    pub pod_templates: PodTemplates,
    /// How long it may take. Default: 2 minutes.
    pub timeout: Option<Duration>,
}

/// What is being explained by this process.
#[derive(Debug)]
pub(crate) struct Explanations {
    /// Who this process is to others on the same database.
    server: Uuid,
    /// Those that somebody works on.
    underway: Mutex<HashSet<ClusterId>>,
    permits: Semaphore,
}

impl Explanations {
    pub(crate) fn new() -> Self {
        Self {
            server: Uuid::new_v4(),
            underway: Mutex::default(),
            permits: Semaphore::new(SIDE_BY_SIDE),
        }
    }

    fn is_underway(&self, name: &ClusterId) -> bool {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn begin(&self, name: ClusterId) -> Underway<'_> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        Underway { explanations: self, name }
    }
}

/// While this is there, nobody clears the explanation away but who works on it.
struct Underway<'a> {
    explanations: &'a Explanations,
    name: ClusterId,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let underway = &self.explanations.underway;
        underway.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl Control {
    /// Has Flink explain a script. What is known to be wrong with it is said without Flink. If nobody waits for the answer
    /// any more, the pod goes all the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a script that is too large and for a time that cannot be, [`Error::Explanation`] for what kept
    /// Flink from an answer, and what can be wrong with the dependencies of a job. What is wrong with the script is in the
    /// answer.
    pub async fn explain_sql(
        &self,
        principal: &Principal,
        order: ExplainSql,
    ) -> Result<SqlExplanation, Error> {
        let timeout = order.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if !TIMEOUTS.contains(&timeout) {
            let (least, most) = (TIMEOUTS.start().as_secs(), TIMEOUTS.end().as_secs());
            let message = format!(
                "a script cannot be explained within {} s: expected from {least} to {most} s",
                timeout.as_secs()
            );
            return Err(Error::Invalid { message });
        }
        let (answer, answered) = oneshot::channel();
        // Dropped when nobody waits any more.
        let nobody_waits = CancellationToken::new();
        let _waiting = nobody_waits.clone().drop_guard();
        let (control, principal) = (self.clone(), principal.clone());
        self.tasks().spawn("explain a script", |stop| async move {
            let work = Work { control: &control, principal: &principal, order: &order };
            let ended = async {
                tokio::select! {
                    () = nobody_waits.cancelled() => {}
                    () = stop.cancelled() => {}
                }
            };
            let outcome = work.carry_out(timeout, ended).await;
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        });
        answered.await.unwrap_or_else(|_| Err(ExplanationFailure::Stopping.into()))
    }
}

/// One script.
struct Work<'a> {
    control: &'a Control,
    principal: &'a Principal,
    order: &'a ExplainSql,
}

/// What an explanation is at, for whoever waited too long.
struct Progress(Mutex<String>);

impl Progress {
    fn say(&self, step: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = step.into();
    }

    fn said(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Work<'_> {
    /// Explains the script, and clears away what was made for that, however it ends.
    async fn carry_out(
        &self,
        timeout: Duration,
        ended: impl Future<Output = ()>,
    ) -> Result<SqlExplanation, Error> {
        let deadline = Instant::now() + timeout;
        let name = name()?;
        let _underway = self.control.explanations().begin(name.clone());
        let progress = Progress(Mutex::new("waiting for other scripts".to_owned()));
        let written = OnceLock::new();
        let outcome = {
            let explain = self.explain((&name, deadline), &written, &progress);
            // It goes far, and is dropped where it is.
            let explain = Box::pin(explain);
            tokio::select! {
                () = ended => Err(ExplanationFailure::Stopping.into()),
                () = tokio::time::sleep_until(deadline) => Err(ExplanationFailure::Late {
                    flink: self.order.flink_version,
                    seconds: timeout.as_secs(),
                    step: progress.said(),
                }
                .into()),
                outcome = explain => outcome,
            }
        };
        if let Some(explanation) = written.get()
            && let Err(error) = sweep::clear_away(self.control, explanation).await
        {
            tracing::warn!(pod = %name, error = error.paragraph(), "the pod of a script that was explained is cleared away later");
        }
        outcome
    }

    async fn explain(
        &self,
        (name, deadline): (&ClusterId, Instant),
        written: &OnceLock<Explanation>,
        progress: &Progress,
    ) -> Result<SqlExplanation, Error> {
        let script = Script::parse(&self.order.script);
        let prepared = match self.check(&script, progress).await? {
            prepare::Checked::Wrong(answer) => return Ok(answer),
            prepare::Checked::Good(prepared) => prepared,
        };
        let permits = &self.control.explanations().permits;
        let Ok(_permit) = permits.acquire().await else {
            return Err(ExplanationFailure::Stopping.into());
        };
        let placed = self.place(name, (&prepared, deadline), written, progress).await?;
        let log = self.run(&placed, progress).await?;
        let report = Report::read(&log.text);
        if !report.is_complete {
            return Err(log.broken(self.order.flink_version).into());
        }
        Ok(answer::explained(&prepared, &report.of(&script)))
    }
}

/// A name that nothing had before.
fn name() -> Result<ClusterId, Error> {
    const DIGITS: usize = 12;
    let digits = Uuid::new_v4().simple().to_string();
    Ok(format!("sql-check-{}", &digits[..DIGITS]).parse()?)
}
