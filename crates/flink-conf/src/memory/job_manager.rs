use flumen_model::FlinkMinor;

use super::{
    MemoryError, Role,
    budget::{Base, Jvm, Keys, Reader},
    flags,
};
use crate::{Configuration, feature, values::size::human};

const HEAP: &str = "jobmanager.memory.heap.size";
const OFF_HEAP: &str = "jobmanager.memory.off-heap.size";
const DIRECT_LIMIT: &str = "jobmanager.memory.enable-jvm-direct-memory-limit";
const KEYS: Keys = Keys {
    process: "jobmanager.memory.process.size",
    flink: "jobmanager.memory.flink.size",
    fine_grained: &[HEAP],
    fine_grained_text: HEAP,
    metaspace: "jobmanager.memory.jvm-metaspace.size",
    overhead_min: "jobmanager.memory.jvm-overhead.min",
    overhead_max: "jobmanager.memory.jvm-overhead.max",
    overhead_fraction: "jobmanager.memory.jvm-overhead.fraction",
};

/// Flink warns below this.
const LEAST_HEAP: u64 = 128 << 20;

/// The parts of a JobManager's memory, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobManagerMemory {
    /// The JVM's heap.
    pub heap: u64,
    /// Direct and native memory of Flink and user code.
    pub off_heap: u64,
    /// The JVM's metaspace.
    pub metaspace: u64,
    /// What the JVM needs besides: stacks, code cache.
    pub overhead: u64,
    /// Whether the JVM is told to keep direct memory within `off_heap`. Default: no.
    pub limits_direct_memory: bool,
    minor: FlinkMinor,
}

impl JobManagerMemory {
    /// Heap and off-heap: what Flink calls Total Flink Memory.
    pub const fn flink(&self) -> u64 {
        self.heap + self.off_heap
    }

    /// All of it: what the container gets.
    pub const fn process(&self) -> u64 {
        self.flink() + self.metaspace + self.overhead
    }

    /// All of it in whole mebibytes, rounded down: what the pod asks for.
    pub const fn process_mebibytes(&self) -> u64 {
        self.process() >> 20
    }

    /// Whether the heap is smaller than what Flink warns about (128 MiB).
    pub const fn heap_is_small(&self) -> bool {
        self.heap < LEAST_HEAP
    }

    /// The JVM's memory flags.
    pub fn jvm_flags(&self) -> String {
        let direct = self.limits_direct_memory.then_some(self.off_heap);
        flags::jvm_flags(self.heap, direct, self.metaspace)
    }

    /// The sizes as `-D key=value` for the process. Flink 1.11 has none.
    pub fn dynamic_parameters(&self) -> String {
        if !feature::JOB_MANAGER_PARAMETERS.is_in(self.minor) {
            return String::new();
        }
        flags::dynamic_parameters(&[
            (HEAP, flags::bytes(self.heap)),
            (OFF_HEAP, flags::bytes(self.off_heap)),
            (KEYS.metaspace, flags::bytes(self.metaspace)),
            (KEYS.overhead_min, flags::bytes(self.overhead)),
            (KEYS.overhead_max, flags::bytes(self.overhead)),
        ])
    }
}

/// Computes a JobManager's memory as Flink of the configuration's minor does on Kubernetes.
///
/// # Errors
/// As Flink: nothing set, a value that is no size, parts that do not fit.
pub fn job_manager_memory(configuration: &Configuration) -> Result<JobManagerMemory, MemoryError> {
    let configuration = super::legacy::with_heap_as_process_size(configuration, Role::JobManager)?;
    let reader = Reader { configuration: &configuration, role: Role::JobManager };
    let (heap, off_heap, jvm) = match KEYS.base(&reader)? {
        Base::FineGrained => {
            let (heap, off_heap) = fine_grained(&reader)?;
            (heap, off_heap, KEYS.jvm_beside(&reader, heap.saturating_add(off_heap))?)
        }
        Base::Flink(flink) => {
            let (heap, off_heap) = split(&reader, flink)?;
            (heap, off_heap, KEYS.jvm_beside(&reader, flink)?)
        }
        Base::Process { flink, jvm } => {
            let (heap, off_heap) = split(&reader, flink)?;
            (heap, off_heap, jvm)
        }
    };
    let limits_direct_memory =
        configuration.boolean(DIRECT_LIMIT).map_err(|source| reader.read(source))?.unwrap_or(false);
    let Jvm { metaspace, overhead } = jvm;
    let minor = configuration.minor();
    reader.check_sum(&[heap, off_heap, metaspace, overhead])?;
    Ok(JobManagerMemory { heap, off_heap, metaspace, overhead, limits_direct_memory, minor })
}

/// Heap and off-heap out of their sum.
fn split(reader: &Reader<'_>, flink: u64) -> Result<(u64, u64), MemoryError> {
    let off_heap = reader.size(OFF_HEAP)?;
    match flink.checked_sub(off_heap) {
        Some(heap) if heap > 0 => Ok((heap, off_heap)),
        _ => Err(reader.problem(format!(
            "the Total Flink Memory ({}) leaves no heap beside the configured Off-heap Memory ({}); raise {} or {}",
            human(flink),
            human(off_heap),
            KEYS.process,
            KEYS.flink
        ))),
    }
}

fn fine_grained(reader: &Reader<'_>) -> Result<(u64, u64), MemoryError> {
    let heap = reader.size(HEAP)?;
    let Some(flink) = reader.optional_size(KEYS.flink)? else {
        return Ok((heap, reader.size(OFF_HEAP)?));
    };
    if let Some(off_heap) = reader.optional_size(OFF_HEAP)? {
        if heap.checked_add(off_heap) == Some(flink) {
            return Ok((heap, off_heap));
        }
        return Err(reader.problem(format!(
            "the configured Heap Memory ({}) and Off-heap Memory ({}) do not add up to the configured Total \
             Flink Memory ({}); leave one of {HEAP}, {OFF_HEAP}, {} out",
            human(heap),
            human(off_heap),
            human(flink),
            KEYS.flink
        )));
    }
    let Some(rest) = flink.checked_sub(heap) else {
        return Err(reader.problem(format!(
            "the configured Heap Memory ({}, {HEAP}) exceeds the configured Total Flink Memory ({}, {})",
            human(heap),
            human(flink),
            KEYS.flink
        )));
    };
    Ok((heap, rest))
}
