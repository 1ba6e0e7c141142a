use flumen_flink_manifest::Mode;

use super::Request;
use crate::{
    Error, Surroundings,
    deploy::{CREATED, deploy, logged},
    effective::{self, APPLICATION, REMOTE, SESSION},
    home::Home,
    program::{self, Program},
};

/// Runs a program as an application with a cluster of its own.
pub(crate) async fn run_application(
    home: &Home,
    request: Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let Program { jar, mut application } =
        program::read(&request.line, request.minor, surroundings)?;
    let target = effective::target(&request.configuration);
    if target != APPLICATION {
        return Err(wrong_target(&target));
    }
    program::join_python(&mut application, &request.configuration)?;
    application.jar = jar.map(|jar| program::jar_uri(&jar, surroundings)).transpose()?;
    let mode = Mode::Application(Box::new(application));
    let (_, deployed) = deploy(home, mode, request.configuration, surroundings).await?;
    let (id, address) = (deployed.cluster_id, deployed.address);
    let message = format!("Create flink application cluster {id} {CREATED} {address}");
    Ok(surroundings.say(logged(&message))?)
}

fn wrong_target(target: &str) -> Error {
    let instead = match target {
        SESSION => {
            "A session runs programs by `run -t kubernetes-session`; an application is run with `-t kubernetes-application`."
        }
        _ => "Use `-t kubernetes-application`.",
    };
    let what = match target {
        REMOTE => "a program cannot be run as an application without `-t`: the target is a standalone cluster then".to_owned(),
        _ => format!("the target {target:?} does not run applications"),
    };
    Error::Unsupported { what, instead: instead.to_owned() }
}
