//! `kubernetes-session.sh`: a session is created, or attached to where it is there.

use flumen_flink_manifest::Mode;
use flumen_k8s::Guard;

use crate::{
    Error, Surroundings,
    command_line::CommandLine,
    connect::{Place, connect},
    deploy::{CREATED, Deployed, deploy, logged},
    effective::{self, CLUSTER_ID, SESSION, TARGET},
    endpoint,
    home::Home,
};

const COMMANDS: &str = "Available commands:
help - show these commands
stop - stop the kubernetes cluster
quit - quit attach mode";

pub(crate) async fn run(
    home: &Home,
    line: &CommandLine,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    if !line.arguments.is_empty() {
        let ignored = line.arguments.join(" ");
        surroundings.warn(format_args!("not used, as in Flink: {ignored}"));
    }
    let file = effective::from_folder(home, surroundings)?;
    let mut configuration = effective::apply(file, line, surroundings)?;
    configuration.set_text(TARGET, SESSION);
    let attached = configuration.get("execution.attached").is_some()
        && configuration.boolean("execution.attached")?.unwrap_or_default();
    let found = retrieve(&configuration, surroundings).await?;
    let (place, deployed) = if let Some(found) = found {
        found
    } else {
        let (place, deployed) = deploy(home, Mode::Session, configuration, surroundings).await?;
        let (id, address) = (&deployed.cluster_id, &deployed.address);
        let message = format!("Create flink session cluster {id} {CREATED} {address}");
        surroundings.say(logged(&message))?;
        (place, deployed)
    };
    if attached && prompt(surroundings)? {
        let Place { cluster, namespace } = &place;
        let guard = Guard::Uid(deployed.uid);
        cluster.delete_deployment(namespace, &*deployed.cluster_id, &guard).await?;
    }
    Ok(())
}

/// The session that is there already.
async fn retrieve(
    configuration: &flumen_flink_conf::Configuration,
    surroundings: &mut Surroundings<'_>,
) -> Result<Option<(Place, Deployed)>, Error> {
    let Some(cluster_id) = configuration.string(CLUSTER_ID)? else { return Ok(None) };
    let place = connect(configuration, surroundings).await?;
    let Place { cluster, namespace } = &place;
    if cluster.rest_service(namespace, &cluster_id).await?.is_none() {
        return Ok(None);
    }
    let uid = cluster.deployment_uid(namespace, &cluster_id).await?.unwrap_or_default();
    let address = endpoint::address(&place, configuration, &cluster_id).await;
    let message = format!("Retrieve flink cluster {cluster_id} {CREATED} {address}");
    surroundings.say(logged(&message))?;
    Ok(Some((place, Deployed { cluster_id, uid, address })))
}

/// Reads commands; whether the cluster is to be stopped. The end of the input is as good as `quit`.
fn prompt(surroundings: &mut Surroundings<'_>) -> Result<bool, Error> {
    let mut line = String::new();
    while surroundings.input.read_line(&mut line)? > 0 {
        match line.trim_end_matches(['\r', '\n']) {
            "quit" => return Ok(false),
            "stop" => return Ok(true),
            "help" => writeln!(surroundings.notes, "{COMMANDS}")?,
            unknown => {
                writeln!(surroundings.notes, "Unknown command '{unknown}'. Showing help:")?;
                writeln!(surroundings.notes, "{COMMANDS}")?;
            }
        }
        line.clear();
    }
    Ok(false)
}
