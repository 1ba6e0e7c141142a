//! What Flink asks of a number beyond its type and finds out only in the cluster, long after the job
//! was released.

use crate::values::{duration, scalar};
use flumen_model::FlinkMinor;

enum Range {
    /// A port, 0 for any free one.
    Port,
    /// Ports and ranges of ports with commas: `50100-50200,50300`.
    Ports,
    /// A share of something, never all of it.
    Fraction,
    /// A multiple that must not make anything smaller.
    Factor,
    /// A whole number that counts something of which there must be one.
    Count,
    /// A number of task slots, for which many old files say -1 and mean 1.
    Slots,
    /// A time in which the checkpoint coordinator can do something.
    CheckpointTime,
}

/// Milliseconds below which Flink refuses to plan checkpoints.
const LEAST_CHECKPOINT_TIME: u128 = 10;

fn range_of(key: &str) -> Option<Range> {
    Some(match key {
        "rest.port"
        | "jobmanager.rpc.port"
        | "jobmanager.rpc.bind-port"
        | "resourcemanager.rpc.port"
        | "taskmanager.collect-sink.port"
        | "taskmanager.data.port"
        | "taskmanager.data.bind-port"
        | "taskmanager.rpc.bind-port" => Range::Port,
        "blob.server.port"
        | "high-availability.jobmanager.port"
        | "metrics.internal.query-service.port"
        | "rest.bind-port"
        | "taskmanager.rpc.port" => Range::Ports,
        "jobmanager.memory.jvm-overhead.fraction"
        | "taskmanager.memory.jvm-overhead.fraction"
        | "taskmanager.memory.managed.fraction"
        | "taskmanager.memory.network.fraction" => Range::Fraction,
        "kubernetes.jobmanager.cpu.limit-factor"
        | "kubernetes.jobmanager.memory.limit-factor"
        | "kubernetes.taskmanager.cpu.limit-factor"
        | "kubernetes.taskmanager.memory.limit-factor" => Range::Factor,
        "kubernetes.jobmanager.replicas" => Range::Count,
        "taskmanager.numberOfTaskSlots" => Range::Slots,
        "execution.checkpointing.interval" | "execution.checkpointing.timeout" => {
            Range::CheckpointTime
        }
        _ => return None,
    })
}

/// Whether a text of the option's type lies in the option's range; what is allowed if not.
pub(super) fn check(key: &str, text: &str, minor: FlinkMinor) -> Result<(), String> {
    let Some(range) = range_of(key) else { return Ok(()) };
    let (is_within, allowed) = match range {
        Range::Port => (is_port(text), "expected a port from 0 to 65535"),
        Range::Ports => (
            text.split(',').all(are_ports),
            "expected a port from 0 to 65535, or ranges of ports such as 50100-50200",
        ),
        Range::Fraction => (
            scalar::parse_double(text).is_ok_and(|number| (0.0..1.0).contains(&number)),
            "expected a number of at least 0 and less than 1",
        ),
        Range::Factor => (
            scalar::parse_double(text).is_ok_and(|number| number >= 1.0),
            "expected a number of at least 1",
        ),
        Range::Count => (
            scalar::parse_integer(text).is_ok_and(|number| number >= 1),
            "expected a whole number of at least 1",
        ),
        Range::Slots => (
            scalar::parse_integer(text).is_ok_and(|number| number >= 1 || number == -1),
            "expected a whole number of at least 1",
        ),
        Range::CheckpointTime => (
            duration::parse(text, minor).is_ok_and(|it| it.as_millis() >= LEAST_CHECKPOINT_TIME),
            "expected at least 10 ms",
        ),
    };
    if is_within { Ok(()) } else { Err(allowed.to_owned()) }
}

fn is_port(text: &str) -> bool {
    scalar::parse_integer(text).is_ok_and(|number| u16::try_from(number).is_ok())
}

fn are_ports(text: &str) -> bool {
    let text = text.trim();
    text.split_once('-')
        .map_or_else(|| is_port(text), |(first, last)| is_port(first) && is_port(last))
}
