//! The effects, one file each. None of them decides whether it is called for; each can be repeated.

mod build_image;
mod cancel_job;
mod create_objects;
mod delete_deployment;
mod delete_high_availability_data;
mod find_savepoint;
mod forget;
mod locate_snapshot;
mod remove_leftovers;
pub(crate) mod render_objects;
mod save_logs;
mod save_outcome;
mod start_again;
mod trigger_savepoint;

pub(crate) use build_image::{Recipe, layered, push, scratch, sent};
use flumen_lifecycle::{Action, Finding};
use flumen_store::Job;
pub(crate) use render_objects::{Pulling, pulling};

use crate::{Control, Error};

/// What came of an action.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For the operation's step: what was made or found.
    pub(crate) detail: Option<String>,
    /// What it brought to light that the status depends on.
    pub(crate) finding: Finding,
}

impl Done {
    fn with(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), finding: Finding::Nothing }
    }
}

pub(crate) async fn carry_out(control: &Control, job: &Job, action: Action) -> Result<Done, Error> {
    match action {
        Action::LocateSnapshot { run } => locate_snapshot::locate_snapshot(control, job, run).await,
        Action::TriggerSavepoint { run, operation } => {
            trigger_savepoint::trigger_savepoint(control, job, (run, operation)).await
        }
        Action::FindSavepoint { run, operation } => {
            find_savepoint::find_savepoint(control, job, (run, operation)).await
        }
        Action::StartAgain { run } => start_again::start_again(control, job, run).await,
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
