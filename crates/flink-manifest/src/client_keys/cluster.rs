//! The keys that every deployment sets for itself: entry class, ports, high availability.

use flumen_flink_conf::{Configuration, Value};

use super::Writer;
use crate::{DeploySpec, Error, Mode, keys};

const APPLICATION_ENTRY: &str =
    "org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint";
const SESSION_ENTRY: &str =
    "org.apache.flink.kubernetes.entrypoint.KubernetesSessionClusterEntrypoint";

const BLOB_PORT: &str = "6124";
const TASK_MANAGER_RPC_PORT: &str = "6122";
const REST_BIND_PORT: &str = "8081";

pub(super) fn write(writer: &mut Writer, spec: &DeploySpec) -> Result<(), Error> {
    let entry_class = match spec.mode {
        Mode::Application(_) => APPLICATION_ENTRY,
        Mode::Session => SESSION_ENTRY,
    };
    let configuration = &mut writer.configuration;
    configuration.set_text("internal.cluster.execution-mode", "NORMAL");
    configuration.set_text(keys::ENTRY_CLASS, entry_class);
    fix_port(configuration, keys::BLOB_PORT, BLOB_PORT)?;
    fix_port(configuration, keys::TASK_MANAGER_RPC_PORT, TASK_MANAGER_RPC_PORT)?;
    fix_port(configuration, keys::REST_BIND_PORT, REST_BIND_PORT)?;
    if high_availability(configuration)? {
        let id = configuration.string(keys::CLUSTER_ID)?.ok_or(Error::ClusterIdMissing)?;
        writer.write(keys::HA_CLUSTER_ID, id);
        let rpc_port = port(&writer.configuration, keys::RPC_PORT)?.to_string();
        fix_port(&mut writer.configuration, keys::HA_PORT, &rpc_port)?;
    }
    Ok(())
}

/// Gives a port that is left to chance a number, because Services and containers must name it.
fn fix_port(configuration: &mut Configuration, key: &str, fallback: &str) -> Result<(), Error> {
    if port(configuration, key)? == 0 {
        configuration.set(key, Value::Text(fallback.to_owned()));
    }
    Ok(())
}

/// The number of a port; ranges are refused.
pub(crate) fn port(configuration: &Configuration, key: &str) -> Result<u16, Error> {
    let text = configuration.string(key)?.unwrap_or_default();
    text.trim().parse().map_err(|_| Error::PortNotFixed { key: key.to_owned(), value: text })
}

/// Whether the JobManager's leadership and state lie outside of it, by whatever service. A word that
/// Flink does not know is taken for a factory class.
pub(crate) fn high_availability(configuration: &Configuration) -> Result<bool, Error> {
    let key = keys::HIGH_AVAILABILITY.key(configuration.minor());
    let mode = configuration.string(key)?.unwrap_or_default();
    let off = ["", "none", "standalone"];
    Ok(!off.contains(&mode.trim().to_ascii_lowercase().as_str()))
}
