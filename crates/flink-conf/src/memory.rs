//! How much memory the processes get: Flink's own arithmetic, in whole bytes. Fractions are single
//! precision, widened, and the product is computed exactly and cut to whole bytes.

mod budget;
mod flags;
mod job_manager;
mod legacy;
mod parameters;
mod range;
mod task_manager;

pub use job_manager::{JobManagerMemory, job_manager_memory};
pub use task_manager::{TaskManagerMemory, task_manager_memory};

/// Why a process cannot be given memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// A size, fraction or number of slots could not be read.
    #[error("{role} memory configuration failed")]
    Read {
        /// The process.
        role: Role,
        /// The value that is wrong.
        #[source]
        source: crate::Error,
    },
    /// None of the sizes from which the others follow is set.
    #[error(
        "{role} memory configuration failed: either required fine-grained memory ({fine_grained}), or Total Flink \
         Memory size ({flink}), or Total Process Memory size ({process}) need to be configured explicitly"
    )]
    NothingSet {
        /// The process.
        role: Role,
        /// The keys of the parts that would do together.
        fine_grained: &'static str,
        /// The key of the total without the JVM's own memory.
        flink: &'static str,
        /// The key of the total.
        process: &'static str,
    },
    /// Parts do not fit into their total, or out of their bounds.
    #[error("{role} memory configuration failed: {problem}")]
    Inconsistent {
        /// The process.
        role: Role,
        /// What does not fit what, with both sizes and keys.
        problem: String,
    },
}

impl MemoryError {
    /// Always [`flumen_model::Kind::Invalid`].
    pub const fn kind(&self) -> flumen_model::Kind {
        flumen_model::Kind::Invalid
    }
}

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The JobManager.
    JobManager,
    /// A TaskManager.
    TaskManager,
}

impl std::fmt::Display for Role {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::JobManager => "JobManager",
            Self::TaskManager => "TaskManager",
        })
    }
}

#[cfg(test)]
mod tests;
