//! Sizes that Flink still reads up to 1.20: a heap that on Kubernetes is the size of the process, and
//! a number of network buffers.

use std::borrow::Cow;

use super::{MemoryError, Role, budget::Reader};
use crate::{Configuration, Value, feature};

const BUFFERS: &str = "taskmanager.network.numberOfBuffers";
const PAGE: &str = "taskmanager.memory.segment-size";
const NETWORK: [&str; 3] = [
    "taskmanager.memory.network.min",
    "taskmanager.memory.network.max",
    "taskmanager.memory.network.fraction",
];

/// The configuration with the old heap size as the size of the process, if that is not set.
pub(super) fn with_heap_as_process_size(
    configuration: &Configuration,
    role: Role,
) -> Result<Cow<'_, Configuration>, MemoryError> {
    let (process, size, megabytes) = match role {
        Role::JobManager => {
            ("jobmanager.memory.process.size", "jobmanager.heap.size", "jobmanager.heap.mb")
        }
        Role::TaskManager => {
            ("taskmanager.memory.process.size", "taskmanager.heap.size", "taskmanager.heap.mb")
        }
    };
    if !feature::OLD_SIZES.is_in(configuration.minor()) || configuration.is_set(process) {
        return Ok(Cow::Borrowed(configuration));
    }
    let reader = Reader { configuration, role };
    let bytes = if configuration.get(size).is_some() {
        reader.size(size)?
    } else if configuration.get(megabytes).is_some() {
        let megabytes = configuration.integer(megabytes).map_err(|source| reader.read(source))?;
        megabytes.and_then(|number| u64::try_from(number).ok()).unwrap_or(0) << 20
    } else {
        return Ok(Cow::Borrowed(configuration));
    };
    let mut mapped = configuration.clone();
    mapped.set(process, Value::Text(format!("{bytes} bytes")));
    Ok(Cow::Owned(mapped))
}

/// The network memory that a number of buffers stands for, if only that is configured.
pub(super) fn network_of_buffers(reader: &Reader<'_>) -> Result<Option<u64>, MemoryError> {
    let configuration = reader.configuration;
    let is_overridden = NETWORK.iter().any(|key| configuration.is_set(key));
    let counts = feature::OLD_SIZES.is_in(configuration.minor()) && !is_overridden;
    if !counts || configuration.get(BUFFERS).is_none() {
        return Ok(None);
    }
    let buffers = configuration.integer(BUFFERS).map_err(|source| reader.read(source))?;
    let buffers = buffers.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let page = reader.size(PAGE)?;
    if page < 4096 || !page.is_power_of_two() {
        return Err(reader.problem(format!("{PAGE} must be a power of two of at least 4096 bytes")));
    }
    Ok(Some(buffers.saturating_mul(page)))
}
