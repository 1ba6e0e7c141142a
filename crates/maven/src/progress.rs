use std::sync::atomic::{AtomicU64, Ordering};

/// What came so far; to be read while work goes on.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    bytes: AtomicU64,
    wanted: AtomicU64,
    there: AtomicU64,
}

impl Progress {
    /// Files that came over the wire, without their checksums.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes that came, those of checksums too.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many of the artifacts that are to be fetched lie in the local repository by now, and how many there are.
    pub fn artifacts(&self) -> (u64, u64) {
        (self.there.load(Ordering::Relaxed), self.wanted.load(Ordering::Relaxed))
    }

    pub(crate) fn file_came(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn bytes_came(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn artifacts_are_wanted(&self, count: usize) {
        self.wanted.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn artifact_is_there(&self) {
        self.there.fetch_add(1, Ordering::Relaxed);
    }
}
