//! The effects, one file each. None of them decides whether it is called for; each can be repeated.

mod build_image;
mod cancel_job;
mod create_objects;
mod delete_deployment;
mod delete_high_availability_data;
mod forget;
mod remove_leftovers;
pub(crate) mod render_objects;
mod save_logs;
mod save_outcome;

pub(crate) use build_image::{push, scratch};
use flumen_lifecycle::Action;
use flumen_store::Job;

use crate::{Control, Error};

/// What came of an action.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For the operation's step: what was made or found.
    pub(crate) detail: Option<String>,
    /// A better reason for the job's state than the one that is known.
    pub(crate) reason: Option<String>,
}

impl Done {
    fn with(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), reason: None }
    }
}

pub(crate) async fn carry_out(control: &Control, job: &Job, action: Action) -> Result<Done, Error> {
    match action {
        Action::BuildImage { run } => build_image::build_image(control, job, run).await,
        Action::RenderObjects { run } => render_objects::render_objects(control, job, run).await,
        Action::RemoveLeftovers { run } => {
            remove_leftovers::remove_leftovers(control, job, run).await
        }
        Action::CreateObjects { run } => create_objects::create_objects(control, job, run).await,
        Action::CancelJob { run } => cancel_job::cancel_job(control, job, run).await,
        Action::SaveOutcome { run } => save_outcome::save_outcome(control, job, run).await,
        Action::DeleteDeployment { run } => {
            delete_deployment::delete_deployment(control, job, run).await
        }
        Action::DeleteHighAvailabilityData { run } => {
            delete_high_availability_data::delete_high_availability_data(control, job, run).await
        }
        Action::Forget => forget::forget(control, job).await,
    }
}

/// The run, which was written down with the wish to start it.
async fn run_of(control: &Control, run: flumen_model::RunId) -> Result<flumen_store::Run, Error> {
    control.store().run(run).await?.ok_or_else(|| Error::not_found(format!("run {run}")))
}
