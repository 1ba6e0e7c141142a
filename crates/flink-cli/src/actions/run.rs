use std::path::Path;

use flumen_flink_rest::{ApplicationStatus, ExecutionResult, JobId, cancel, execution_result, job};
use flumen_model::FlinkMinor;

use super::{Request, on_job, run_application::run_application, submit};
use crate::{
    Error, Surroundings,
    effective::{self, APPLICATION},
    home::Home,
    job_manager::JobManager,
    program,
};

/// From here on `run` runs applications too.
const ONE_RUN: FlinkMinor = FlinkMinor::new(2, 0);
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs a program in a session, or from 2.0 as an application where the target says so.
pub(crate) async fn run(
    home: &Home,
    request: Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let target = effective::target(&request.configuration);
    if target == APPLICATION {
        if request.minor >= ONE_RUN {
            return run_application(home, request, surroundings).await;
        }
        return Err(Error::Unsupported {
            what: format!("`run` of Flink {} does not run applications", request.minor),
            instead: "Use `run-application -t kubernetes-application`.".to_owned(),
        });
    }
    if target == "local" || target == "kubernetes-per-job" {
        return Err(Error::Unsupported {
            what: format!("the target {target:?} needs a JVM on this machine"),
            instead: "Use `-t kubernetes-session` with `-Dkubernetes.cluster-id`, or `-t kubernetes-application`.".to_owned(),
        });
    }
    let program = program::read(&request.line, request.minor, surroundings)?;
    if program.application.python.is_some() {
        return submit::python(&program, &request, surroundings);
    }
    for doubt in effective::doubts(&request.configuration) {
        surroundings.warn(doubt);
    }
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    let jar = program.jar.as_deref().unwrap_or_default();
    let path = submit::local_jar(jar, surroundings)?;
    let id =
        submit::submit(&job_manager, (&program, Path::new(&path)), &request, surroundings).await?;
    surroundings.say(format!("Job has been submitted with JobID {id}"))?;
    if !program.application.attached {
        return Ok(());
    }
    let cancel_on_interrupt = program.application.shutdown_on_attached_exit;
    attend(&job_manager, id, cancel_on_interrupt, surroundings).await
}

/// Waits for the end of a job, as the program itself would in Flink's client.
async fn attend(
    job_manager: &JobManager,
    id: JobId,
    cancel_on_interrupt: bool,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let ended = end_of(job_manager, id);
    let result = tokio::select! {
        result = ended => result?,
        interrupted = tokio::signal::ctrl_c(), if cancel_on_interrupt => {
            interrupted?;
            surroundings.warn(format_args!("interrupted: the job {id} is cancelled"));
            return job_manager.ask_as(&cancel(id), true).await
                .map_err(on_job(format!("Could not cancel job {id}.")));
        }
    };
    match result {
        (ApplicationStatus::Succeeded, _) => {
            surroundings.say("Program execution finished")?;
            surroundings.say(format!("Job with JobID {id} has finished."))?;
            // The last answer about the job is only for its run time, and may come too late.
            if let Ok(detail) = job_manager.ask(&job(id)).await {
                surroundings.say(format!("Job Runtime: {} ms", detail.duration.as_millis()))?;
            }
            Ok(())
        }
        (ApplicationStatus::Canceled, _) => {
            Err(Error::Failed(format!("Job was cancelled. (JobID: {id})")))
        }
        (status, reason) => {
            let word = if status == ApplicationStatus::Failed { "failed" } else { "ended" };
            let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
            Err(Error::Failed(format!("Job {word} (JobID: {id}): {reason}")))
        }
    }
}

/// How the job ended, and why.
async fn end_of(
    job_manager: &JobManager,
    id: JobId,
) -> Result<(ApplicationStatus, Option<String>), Error> {
    let lost = || on_job(format!("Could not wait for the end of job {id}."));
    loop {
        match job_manager.ask(&execution_result(id)).await.map_err(lost())? {
            ExecutionResult::InProgress => tokio::time::sleep(LOOK).await,
            ExecutionResult::Completed { status, failure } => {
                return Ok((status, failure.map(|failure| failure.message().to_owned())));
            }
        }
    }
}
