use flumen_flink_rest::{delete_jar, plan_jar_document};

use super::{Request, on_job, submit};
use crate::{
    Error, Surroundings,
    effective::{self, REMOTE, SESSION},
    job_manager::JobManager,
    program,
};

/// Shows the plan of a program, which the session that is named makes: `main` runs there.
pub(crate) async fn info(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let program = program::read(&request.line, request.minor, surroundings)?;
    let target = effective::target(&request.configuration);
    let is_named = request.line.has("m") || request.line.has("t") || request.line.has("e");
    let is_session = target == SESSION || target == REMOTE;
    if !is_named || !is_session || program.application.python.is_some() {
        return Err(Error::Unsupported {
            what: "the plan of a program comes from running its code, which Flumen does not do on this machine".to_owned(),
            instead: "Name a session that may run it: `info -t kubernetes-session -Dkubernetes.cluster-id=…`, or `info -m host:port`. It needs a jar.".to_owned(),
        });
    }
    let path = submit::local_jar(program.jar.as_deref().unwrap_or_default(), surroundings)?;
    let run = submit::jar_run(&program, request, surroundings)?;
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    let jar = submit::upload(&job_manager, &path).await?;
    let call = plan_jar_document(request.minor, &jar, &run)?;
    let plan = job_manager.ask(&call).await;
    // Uploaded only for this; that it could not be removed changes nothing about the plan.
    let _ = job_manager.ask(&delete_jar(&jar)).await;
    let plan = plan.map_err(on_job(format!("Could not make the plan of {}.", path.display())))?;
    surroundings.say("----------------------- Execution Plan -----------------------")?;
    surroundings.say(plan.to_string())?;
    surroundings.say("--------------------------------------------------------------")?;
    surroundings.say("")?;
    Ok(surroundings.say("No description provided.")?)
}
