//! Watches a job until its run has ended, printing each state and now and then its rates.

use std::time::{Duration, Instant};

use flumen_api_types::{Job, JobQuery, JobReference, JobState, Live, Outcome};

use crate::{
    Error,
    arguments::Until,
    commands::Context,
    follow::{self, Deadline},
    printer::Progress,
    text,
};

const INTERVAL: Duration = Duration::from_millis(500);
/// How often the rates are printed where no terminal shows them all the time.
const RATES: Duration = Duration::from_secs(5);

/// What a wait for a start waits for.
pub(crate) async fn until(
    context: &Context<'_>,
    job: &JobReference,
    until: Until,
    deadline: Option<Deadline>,
) -> Result<Job, Error> {
    match until {
        Until::Started => started(context, job).await,
        Until::Finished => within(context, job, deadline).await,
    }
}

/// What a job is doing, and what its run began from.
pub(crate) fn sentence(job: &Job) -> String {
    let restored = job.run.as_ref().and_then(|run| run.restored_from.as_ref());
    let restored = restored.map(|path| format!(", restored from {path}")).unwrap_or_default();
    let reason = job.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("The job {} is {}{restored}{reason}.", job.reference(), job.state)
}

/// The job after its start. One that failed at once is an error.
async fn started(context: &Context<'_>, job: &JobReference) -> Result<Job, Error> {
    let job = context.fetch_job(job, JobQuery::default()).await?;
    match job.state {
        JobState::Failed | JobState::EndedUnknown => outcome(job),
        _ => Ok(job),
    }
}

/// Watches until the run has ended, or the deadline is there. An end other than FINISHED is an error.
async fn within(
    context: &Context<'_>,
    job: &JobReference,
    deadline: Option<Deadline>,
) -> Result<Job, Error> {
    let look = format!("flumen job show {} --environment {}", job.name, job.environment);
    let what = format!("the run of the job {job}");
    follow::within(deadline, what, look, until_finished(context, job)).await
}

async fn until_finished(context: &Context<'_>, job: &JobReference) -> Result<Job, Error> {
    let progress = context.printer.progress();
    let mut shown = Shown {
        began: Instant::now(),
        state: None,
        rates: Instant::now(),
        last: String::new(),
        unreachable: false,
    };
    loop {
        let fetch = async || context.fetch_job(job, JobQuery { live: true }).await;
        let seen = follow::patiently(&progress, fetch).await?;
        shown.update(&seen, &progress);
        if seen.state.has_ended() {
            return outcome(seen);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn outcome(job: Job) -> Result<Job, Error> {
    if job.state == JobState::Finished {
        return Ok(job);
    }
    let reason = job.reason.or_else(|| {
        job.run.filter(|run| run.outcome != Some(Outcome::Finished)).and_then(|run| run.reason)
    });
    let name = JobReference { environment: job.environment, name: job.name }.to_string();
    Err(Error::Ended { job: name, state: job.state, reason })
}

struct Shown {
    began: Instant,
    state: Option<JobState>,
    rates: Instant,
    last: String,
    unreachable: bool,
}

impl Shown {
    fn update(&mut self, job: &Job, progress: &Progress) {
        let elapsed = text::duration(self.began.elapsed());
        if self.state != Some(job.state) {
            let reason =
                job.reason.as_ref().map(|reason| format!("  {reason}")).unwrap_or_default();
            progress.line(format!("  {:<36} {elapsed:>10}{reason}", job.state.as_str()));
            self.state = Some(job.state);
        }
        if job.unreachable_since.is_some() != self.unreachable {
            self.unreachable = !self.unreachable;
            let line = job.unreachable_since.map_or_else(
                || "  reachable again".to_owned(),
                |since| format!("  unreachable since {}", text::moment(since)),
            );
            progress.line(line);
        }
        let Some(live) = &job.live else {
            progress.say(job.state.as_str());
            return;
        };
        let rates = rates(live);
        progress.say(format!("{}  {rates}", job.state));
        if job.state == JobState::Running && self.rates.elapsed() >= RATES && self.last != rates {
            progress.line(format!("  {:<36} {elapsed:>10}  {rates}", ""));
            self.rates = Instant::now();
            self.last = rates;
        }
    }
}

/// How much the job has read, how much goes through it now, and how many of its tasks run.
pub(crate) fn rates(live: &Live) -> String {
    let sources = live.vertices.iter().filter(|vertex| vertex.records_in == 0);
    let records: u64 = sources.map(|vertex| vertex.records_out).sum();
    let now = live
        .vertices
        .iter()
        .flat_map(|vertex| [vertex.records_in_per_second, vertex.records_out_per_second])
        .flatten()
        .fold(0.0, f64::max);
    let all: u32 = live.tasks.values().sum();
    let running = live.tasks.get("RUNNING").copied().unwrap_or_default();
    let now = if now > 0.0 { format!(", now {}", text::rate(now)) } else { String::new() };
    format!("{} records read{now}, {running} of {all} tasks running", text::count(records))
}
