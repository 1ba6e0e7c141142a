use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

type Report = dyn Fn(u64, u64) + Send + Sync;

/// Where to tell how many bytes of how many have been sent or received.
///
/// The total grows as it becomes known what has to be moved, and a transfer that is tried again takes its bytes back.
#[derive(Clone, Default)]
pub struct Progress {
    report: Option<Arc<Report>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    moved: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Tells `report` the bytes moved so far and the bytes to move in all, after each piece.
    pub fn new(report: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { report: Some(Arc::new(report)), counts: Arc::default() }
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::default()
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.counts.total.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    pub(crate) fn advance(&self, bytes: u64) {
        self.counts.moved.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    fn take_back(&self, bytes: u64) {
        self.counts.moved.fetch_sub(bytes, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        if let Some(report) = &self.report {
            let counts = &self.counts;
            report(counts.moved.load(Ordering::Relaxed), counts.total.load(Ordering::Relaxed));
        }
    }

    /// One try to move one blob.
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt { progress: self.clone(), moved: Arc::default() }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Progress")
            .field("reported", &self.report.is_some())
            .finish_non_exhaustive()
    }
}

/// Counts the bytes of one try, so that a failed one can be taken back.
#[derive(Clone)]
pub(crate) struct Attempt {
    progress: Progress,
    moved: Arc<AtomicU64>,
}

impl Attempt {
    pub(crate) fn advance(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress.advance(bytes as u64);
    }

    pub(crate) fn undo(&self) {
        self.progress.take_back(self.moved.swap(0, Ordering::Relaxed));
    }

    /// So many bytes have been moved by now, which may be fewer than before.
    pub(crate) fn stands_at(&self, bytes: u64) {
        let before = self.moved.swap(bytes, Ordering::Relaxed);
        self.progress.take_back(before);
        self.progress.advance(bytes);
    }
}
