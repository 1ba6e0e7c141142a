//! What the two processes have in common: a total, the JVM's own parts, and where each may come from.

use super::{MemoryError, Role, range::Range};
use crate::{Configuration, Error, values::size::human};

/// Reads sizes and fractions for one process and words its errors.
pub(super) struct Reader<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) role: Role,
}

impl Reader<'_> {
    pub(super) fn size(&self, key: &str) -> Result<u64, MemoryError> {
        let size = self.configuration.size(key).map_err(|source| self.read(source))?;
        size.map(flumen_model::ByteSize::bytes)
            .ok_or_else(|| self.problem(format!("{key} is not set")))
    }

    /// The size under a key without a default.
    pub(super) fn optional_size(&self, key: &str) -> Result<Option<u64>, MemoryError> {
        if self.configuration.is_set(key) { self.size(key).map(Some) } else { Ok(None) }
    }

    pub(super) fn fraction(&self, key: &str) -> Result<f64, MemoryError> {
        let fraction = self.configuration.double(key).map_err(|source| self.read(source))?;
        fraction.ok_or_else(|| self.problem(format!("{key} is not set")))
    }

    pub(super) fn read(&self, source: Error) -> MemoryError {
        MemoryError::Read { role: self.role, source }
    }

    pub(super) fn problem(&self, problem: String) -> MemoryError {
        MemoryError::Inconsistent { role: self.role, problem }
    }
}

impl Reader<'_> {
    /// Flink counts in signed numbers of 64 bits: what does not fit is refused.
    pub(super) fn check_sum(&self, parts: &[u64]) -> Result<(), MemoryError> {
        let sum = parts.iter().map(|part| u128::from(*part)).sum::<u128>();
        if i64::try_from(sum).is_ok() {
            return Ok(());
        }
        Err(self.problem("the sizes add up to more bytes than Flink can count".to_owned()))
    }
}

/// The keys of one process.
pub(super) struct Keys {
    pub(super) process: &'static str,
    pub(super) flink: &'static str,
    pub(super) fine_grained: &'static [&'static str],
    pub(super) fine_grained_text: &'static str,
    pub(super) metaspace: &'static str,
    pub(super) overhead_min: &'static str,
    pub(super) overhead_max: &'static str,
    pub(super) overhead_fraction: &'static str,
}

/// The JVM's own memory: what does not count as Flink's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jvm {
    pub(super) metaspace: u64,
    pub(super) overhead: u64,
}

/// From which of the user's sizes the others follow.
pub(super) enum Base {
    /// The parts that make up Flink's memory.
    FineGrained,
    /// Flink's memory as a whole.
    Flink(u64),
    /// Flink's memory and the JVM's, from the whole process.
    Process { flink: u64, jvm: Jvm },
}

impl Keys {
    pub(super) fn base(&self, reader: &Reader<'_>) -> Result<Base, MemoryError> {
        let configuration = reader.configuration;
        if self.fine_grained.iter().all(|key| configuration.is_set(key)) {
            return Ok(Base::FineGrained);
        }
        if let Some(flink) = reader.optional_size(self.flink)? {
            return Ok(Base::Flink(flink));
        }
        if let Some(process) = reader.optional_size(self.process)? {
            let jvm = self.jvm_within(reader, process)?;
            return Ok(Base::Process { flink: process - jvm.metaspace - jvm.overhead, jvm });
        }
        Err(MemoryError::NothingSet {
            role: reader.role,
            fine_grained: self.fine_grained_text,
            flink: self.flink,
            process: self.process,
        })
    }

    fn overhead(&self, reader: &Reader<'_>) -> Result<Range, MemoryError> {
        let (min, max) = (Some(self.overhead_min), Some(self.overhead_max));
        Range::read(reader, "JVM Overhead", min, max, self.overhead_fraction)
    }

    fn jvm_within(&self, reader: &Reader<'_>, process: u64) -> Result<Jvm, MemoryError> {
        let metaspace = reader.size(self.metaspace)?;
        let overhead = self.overhead(reader)?.of_total(process);
        if metaspace.saturating_add(overhead) > process {
            return Err(reader.problem(format!(
                "sum of configured JVM Metaspace ({}) and JVM Overhead ({}) exceed configured Total Process \
                 Memory ({}); raise {}",
                human(metaspace),
                human(overhead),
                human(process),
                self.process
            )));
        }
        Ok(Jvm { metaspace, overhead })
    }

    /// The JVM's memory beside Flink's, which fills the process up if its size is configured.
    pub(super) fn jvm_beside(&self, reader: &Reader<'_>, flink: u64) -> Result<Jvm, MemoryError> {
        let metaspace = reader.size(self.metaspace)?;
        let used = flink.saturating_add(metaspace);
        let Some(process) = reader.optional_size(self.process)? else {
            return Ok(Jvm { metaspace, overhead: self.overhead(reader)?.beside(used) });
        };
        let Some(overhead) = process.checked_sub(used) else {
            return Err(reader.problem(format!(
                "configured Total Flink Memory ({}) and JVM Metaspace ({}) exceed configured Total Process \
                 Memory ({}); raise {} or leave it out",
                human(flink),
                human(metaspace),
                human(process),
                self.process
            )));
        };
        let range = self.overhead(reader)?;
        if !range.contains(overhead) {
            return Err(reader.problem(format!(
                "derived JVM Overhead size ({}) is not in configured JVM Overhead range [{}, {}]; change {}, \
                 or leave {} out",
                human(overhead),
                human(range.min),
                human(range.max),
                self.overhead_max,
                self.process
            )));
        }
        Ok(Jvm { metaspace, overhead })
    }
}
