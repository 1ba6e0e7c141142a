use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Printer;

/// A spinner or a bar on standard error while something goes on, and lines above it.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(printer: Printer, bar: ProgressBar) -> Self {
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { printer, bar }
    }

    /// Says what goes on.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// Prints a line that stays.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        self.bar.suspend(|| self.printer.note(text));
    }

    /// Turns into a bar over this many bytes.
    pub(crate) fn measure(&self, bytes: u64) {
        let template = "{msg} [{bar:30}] {bytes} of {total_bytes} ({bytes_per_sec}, {eta} left)";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        self.bar.set_length(bytes);
        self.bar.set_position(0);
    }

    /// The handle that counts bytes.
    pub(crate) fn counter(&self) -> ProgressBar {
        self.bar.clone()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
