use super::{
    MemoryError, Role,
    budget::{Base, Keys, Reader},
    legacy,
    parameters::Parameters,
    range::Range,
};
use crate::{Configuration, memory::flags, values::size::human};

pub(super) const FRAMEWORK_HEAP: &str = "taskmanager.memory.framework.heap.size";
pub(super) const FRAMEWORK_OFF_HEAP: &str = "taskmanager.memory.framework.off-heap.size";
pub(super) const TASK_HEAP: &str = "taskmanager.memory.task.heap.size";
pub(super) const TASK_OFF_HEAP: &str = "taskmanager.memory.task.off-heap.size";
pub(super) const NETWORK_MIN: &str = "taskmanager.memory.network.min";
pub(super) const NETWORK_MAX: &str = "taskmanager.memory.network.max";
const NETWORK_FRACTION: &str = "taskmanager.memory.network.fraction";
pub(super) const MANAGED: &str = "taskmanager.memory.managed.size";
const MANAGED_FRACTION: &str = "taskmanager.memory.managed.fraction";
pub(super) const KEYS: Keys = Keys {
    process: "taskmanager.memory.process.size",
    flink: "taskmanager.memory.flink.size",
    fine_grained: &[TASK_HEAP, MANAGED],
    fine_grained_text: "taskmanager.memory.task.heap.size and taskmanager.memory.managed.size",
    metaspace: "taskmanager.memory.jvm-metaspace.size",
    overhead_min: "taskmanager.memory.jvm-overhead.min",
    overhead_max: "taskmanager.memory.jvm-overhead.max",
    overhead_fraction: "taskmanager.memory.jvm-overhead.fraction",
};

/// The parts of a TaskManager's memory, in bytes, and its other resources.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskManagerMemory {
    /// Heap of Flink itself.
    pub framework_heap: u64,
    /// Direct and native memory of Flink itself.
    pub framework_off_heap: u64,
    /// Heap of user code.
    pub task_heap: u64,
    /// Direct and native memory of user code.
    pub task_off_heap: u64,
    /// Buffers between tasks.
    pub network: u64,
    /// Native memory for state backends, sorting, Python.
    pub managed: u64,
    /// The JVM's metaspace.
    pub metaspace: u64,
    /// What the JVM needs besides: stacks, code cache.
    pub overhead: u64,
    /// CPU cores: `taskmanager.cpu.cores`, else one for each slot.
    pub cpu: f64,
    parameters: Parameters,
}

impl TaskManagerMemory {
    /// The JVM's heap.
    pub const fn heap(&self) -> u64 {
        self.framework_heap + self.task_heap
    }

    /// What the JVM may take as direct memory.
    pub const fn direct(&self) -> u64 {
        self.framework_off_heap + self.task_off_heap + self.network
    }

    /// Everything but the JVM's own: what Flink calls Total Flink Memory.
    pub const fn flink(&self) -> u64 {
        self.heap() + self.direct() + self.managed
    }

    /// All of it: what the container gets.
    pub const fn process(&self) -> u64 {
        self.flink() + self.metaspace + self.overhead
    }

    /// All of it in whole mebibytes, rounded down: what the pod asks for.
    pub const fn process_mebibytes(&self) -> u64 {
        self.process() >> 20
    }

    /// The JVM's memory flags.
    pub fn jvm_flags(&self) -> String {
        flags::jvm_flags(self.heap(), Some(self.direct()), self.metaspace)
    }

    /// The sizes as `-D key=value` for the process, as the minor prints them.
    pub fn dynamic_parameters(&self) -> String {
        self.parameters.render(self)
    }
}

/// Computes a TaskManager's memory as Flink of the configuration's minor does on Kubernetes.
///
/// # Errors
/// As Flink: nothing set, a value that is no size, parts that do not fit.
pub fn task_manager_memory(
    configuration: &Configuration,
) -> Result<TaskManagerMemory, MemoryError> {
    as_configured(&*legacy::with_heap_as_process_size(configuration, Role::TaskManager)?)
}

/// The model alone, without the old heap size.
pub(super) fn as_configured(
    configuration: &Configuration,
) -> Result<TaskManagerMemory, MemoryError> {
    let reader = Reader { configuration, role: Role::TaskManager };
    let parts = Parts::read(&reader)?;
    let (parts, jvm) = match KEYS.base(&reader)? {
        Base::FineGrained => {
            let parts = parts.fine_grained(&reader)?;
            let jvm = KEYS.jvm_beside(&reader, parts.sum())?;
            (parts, jvm)
        }
        Base::Flink(flink) => (parts.within(&reader, flink)?, KEYS.jvm_beside(&reader, flink)?),
        Base::Process { flink, jvm } => (parts.within(&reader, flink)?, jvm),
    };
    reader.check_sum(&[parts.sum(), jvm.metaspace, jvm.overhead])?;
    let parameters = Parameters::read(&reader)?;
    let cpu = cpu(&reader, parameters.slots)?;
    Ok(TaskManagerMemory {
        framework_heap: parts.framework_heap,
        framework_off_heap: parts.framework_off_heap,
        task_heap: parts.task_heap,
        task_off_heap: parts.task_off_heap,
        network: parts.network,
        managed: parts.managed,
        metaspace: jvm.metaspace,
        overhead: jvm.overhead,
        cpu,
        parameters,
    })
}

fn cpu(reader: &Reader<'_>, slots: i64) -> Result<f64, MemoryError> {
    const CORES: &str = "taskmanager.cpu.cores";
    let (key, cores) = if reader.configuration.is_set(CORES) {
        (CORES, reader.fraction(CORES)?)
    } else {
        let slots = i32::try_from(slots).unwrap_or(i32::MAX);
        ("taskmanager.numberOfTaskSlots", f64::from(slots))
    };
    if cores.is_finite() && cores > 0.0 {
        return Ok(cores);
    }
    Err(reader.problem(format!(
        "a TaskManager needs a number of CPU cores that is greater than 0; change {key}"
    )))
}

/// Flink's own memory; what is not known yet is 0.
#[derive(Clone, Copy)]
struct Parts {
    framework_heap: u64,
    framework_off_heap: u64,
    task_heap: u64,
    task_off_heap: u64,
    network: u64,
    managed: u64,
}

impl Parts {
    fn read(reader: &Reader<'_>) -> Result<Self, MemoryError> {
        Ok(Self {
            framework_heap: reader.size(FRAMEWORK_HEAP)?,
            framework_off_heap: reader.size(FRAMEWORK_OFF_HEAP)?,
            task_heap: 0,
            task_off_heap: reader.size(TASK_OFF_HEAP)?,
            network: 0,
            managed: 0,
        })
    }

    fn sum(&self) -> u64 {
        [
            self.framework_heap,
            self.framework_off_heap,
            self.task_heap,
            self.task_off_heap,
            self.network,
            self.managed,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    fn fine_grained(mut self, reader: &Reader<'_>) -> Result<Self, MemoryError> {
        self.task_heap = reader.size(TASK_HEAP)?;
        self.managed = reader.size(MANAGED)?;
        if let Some(flink) = reader.optional_size(KEYS.flink)? {
            return self.fill_with_network(reader, flink);
        }
        self.network = match legacy::network_of_buffers(reader)? {
            Some(network) => network,
            None => network_range(reader)?.beside(self.sum()),
        };
        Ok(self)
    }

    fn within(mut self, reader: &Reader<'_>, flink: u64) -> Result<Self, MemoryError> {
        self.managed = managed(reader, flink)?;
        if let Some(task_heap) = reader.optional_size(TASK_HEAP)? {
            self.task_heap = task_heap;
            return self.fill_with_network(reader, flink);
        }
        self.network = match legacy::network_of_buffers(reader)? {
            Some(network) => network,
            None => network_range(reader)?.of_total(flink),
        };
        self.task_heap =
            flink.checked_sub(self.sum()).ok_or_else(|| self.too_large(reader, flink))?;
        Ok(self)
    }

    fn fill_with_network(mut self, reader: &Reader<'_>, flink: u64) -> Result<Self, MemoryError> {
        self.network =
            flink.checked_sub(self.sum()).ok_or_else(|| self.too_large(reader, flink))?;
        if let Some(configured) = legacy::network_of_buffers(reader)? {
            if configured == self.network {
                return Ok(self);
            }
            return Err(reader.problem(format!(
                "derived Network Memory ({}) is not what the configured number of buffers gives ({})",
                human(self.network),
                human(configured)
            )));
        }
        let range = network_range(reader)?;
        if range.contains(self.network) {
            return Ok(self);
        }
        Err(reader.problem(format!(
            "derived Network Memory ({}) is not in configured Network Memory range [{}, {}]; change {NETWORK_MIN} \
             or {NETWORK_MAX}, or leave {TASK_HEAP} out",
            human(self.network),
            human(range.min),
            human(range.max)
        )))
    }

    fn too_large(&self, reader: &Reader<'_>, flink: u64) -> MemoryError {
        reader.problem(format!(
            "sum of configured Framework Heap Memory ({}), Framework Off-Heap Memory ({}), Task Heap Memory ({}), \
             Task Off-Heap Memory ({}), Network Memory ({}) and Managed Memory ({}) exceed configured Total \
             Flink Memory ({}); raise {} or {}",
            human(self.framework_heap),
            human(self.framework_off_heap),
            human(self.task_heap),
            human(self.task_off_heap),
            human(self.network),
            human(self.managed),
            human(flink),
            KEYS.process,
            KEYS.flink
        ))
    }
}

fn managed(reader: &Reader<'_>, flink: u64) -> Result<u64, MemoryError> {
    match reader.optional_size(MANAGED)? {
        Some(managed) => Ok(managed),
        None => {
            Ok(Range::read(reader, "Managed Memory", None, None, MANAGED_FRACTION)?.of_total(flink))
        }
    }
}

fn network_range(reader: &Reader<'_>) -> Result<Range, MemoryError> {
    Range::read(reader, "Network Memory", Some(NETWORK_MIN), Some(NETWORK_MAX), NETWORK_FRACTION)
}
