use flumen_lifecycle::{Intent, JobState};
use flumen_model::{EnvironmentName, EventId, JobName};
use flumen_store::{Job, JobEvent, JobFilter, Principal, Run};
use jiff::Timestamp;

use crate::{Control, Error};

/// Why a run that another took the place of, or that was given up with it, has no outcome.
const NEVER_BEGUN: &str = "it was never begun";

/// A job with what is shown beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// The job.
    pub job: Job,
    /// Its state in one word.
    pub state: JobState,
    /// When it came into this state.
    pub state_since: Timestamp,
    /// Its newest run.
    pub run: Option<Run>,
}

impl Control {
    /// One job.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such job.
    pub async fn job(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<JobView, Error> {
        let job = self.owned(principal, environment, name).await?;
        self.view(job).await
    }

    /// The jobs of the team after this environment and name, at most `limit`.
    pub async fn jobs(
        &self,
        principal: &Principal,
        environment: Option<EnvironmentName>,
        after: Option<(String, String)>,
        limit: Option<u32>,
    ) -> Result<Vec<JobView>, Error> {
        let filter = JobFilter { team: Some(principal.team), environment, after, limit };
        let mut views = Vec::new();
        for job in self.store().jobs(&filter).await? {
            views.push(self.view(job).await?);
        }
        Ok(views)
    }

    /// The runs of a job, newest first.
    pub async fn runs(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Vec<Run>, Error> {
        let job = self.owned(principal, environment, name).await?;
        let mut runs = self.store().runs(job.id).await?;
        let wanted = match job.desired.intent {
            Intent::Run { run, .. } => Some(run),
            Intent::Rest | Intent::Stop | Intent::Cancel | Intent::Delete => None,
        };
        for run in &mut runs {
            if run.outcome.is_none() && Some(run.id) != wanted && Some(run.id) != job.status.run {
                run.reason = Some(NEVER_BEGUN.to_owned());
            }
        }
        Ok(runs)
    }

    /// The timeline of a job before `before`, newest first.
    pub async fn events(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<JobEvent>, Error> {
        let job = self.owned(principal, environment, name).await?;
        Ok(self.store().events(job.id, before, limit).await?)
    }

    /// The job, if it is the team's.
    pub(crate) async fn owned(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Job, Error> {
        let job = self.store().job_named(environment, name).await?;
        job.filter(|job| job.team == principal.team).ok_or_else(|| Error::NotFound {
            what: format!("job {name} in environment {environment}"),
            hint: "; see `flumen job list`".to_owned(),
        })
    }

    pub(crate) async fn view(&self, job: Job) -> Result<JobView, Error> {
        let run = match job.status.run {
            Some(run) => self.store().run(run).await?,
            None => None,
        };
        let state = JobState::of(&job.desired, &job.status);
        let state_since = since(&job);
        Ok(JobView { job, state, state_since, run })
    }
}

fn since(job: &Job) -> Timestamp {
    use flumen_lifecycle::State;

    match &job.status.state {
        State::New | State::Deleted => job.updated_at,
        State::Starting { since, .. } | State::Live { since, .. } | State::Ending { since, .. } => {
            *since
        }
        State::Ended { at, .. } => *at,
    }
}
