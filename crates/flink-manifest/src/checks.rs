//! What Flink's client refuses before it creates anything.

mod jars;

use flumen_flink_conf::Configuration;

use crate::{
    Error, Mode, Warning,
    client_keys::cluster::{high_availability, port},
    feature, keys,
    names::MAX_CLUSTER_ID,
    render::Render,
};

pub(crate) fn check(render: &mut Render<'_>) -> Result<(), Error> {
    cluster_id(render)?;
    blanks(render)?;
    if let Mode::Application(application) = &render.spec.mode {
        jars::check(application, render.minor())?;
    }
    ports(&render.configuration)?;
    replicas(render)?;
    limit_factors(render)
}

fn cluster_id(render: &mut Render<'_>) -> Result<(), Error> {
    let id = render.names.cluster_id();
    if id.trim().is_empty() {
        return Err(Error::Blank { key: keys::CLUSTER_ID });
    }
    if id.chars().count() > MAX_CLUSTER_ID {
        return Err(Error::ClusterIdTooLong { id: id.to_owned() });
    }
    if id.parse::<flumen_model::ClusterId>().is_err() {
        render.warnings.push(Warning::ClusterIdRefusedLater { id: id.to_owned() });
    }
    Ok(())
}

fn blanks(render: &Render<'_>) -> Result<(), Error> {
    for key in [keys::NAMESPACE, keys::IMAGE.key(render.minor())] {
        if render.text(key)?.is_none() {
            return Err(Error::Blank { key });
        }
    }
    Ok(())
}

fn ports(configuration: &Configuration) -> Result<(), Error> {
    for key in [keys::RPC_PORT, keys::BLOB_PORT, keys::TASK_MANAGER_RPC_PORT] {
        if port(configuration, key)? == 0 {
            return Err(Error::PortZero { key: key.to_owned() });
        }
    }
    port(configuration, keys::REST_PORT).map(|_| ())
}

fn replicas(render: &Render<'_>) -> Result<(), Error> {
    let replicas = crate::deployment::replicas(render)?;
    if replicas < 1 {
        return Err(Error::TooFewReplicas { replicas });
    }
    if replicas > 1 && !high_availability(&render.configuration)? {
        return Err(Error::StandbyWithoutHighAvailability { replicas });
    }
    Ok(())
}

/// The client looks at the JobManager's factors only; those of the TaskManagers fail in the cluster.
fn limit_factors(render: &mut Render<'_>) -> Result<(), Error> {
    if !render.has(feature::LIMIT_FACTORS) {
        return Ok(());
    }
    for resource in ["cpu", "memory"] {
        let key = format!("kubernetes.jobmanager.{resource}.limit-factor");
        if render.configuration.double(&key)?.is_some_and(|factor| factor < 1.0) {
            return Err(Error::LimitFactor { value: render.text_or_empty(&key)?, key });
        }
        let key = format!("kubernetes.taskmanager.{resource}.limit-factor");
        if render.configuration.double(&key)?.is_some_and(|factor| factor < 1.0) {
            let value = render.text_or_empty(&key)?;
            render.warnings.push(Warning::TaskManagerLimitFactor { key, value });
        }
    }
    Ok(())
}
