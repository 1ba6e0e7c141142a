//! What is kept of a log: its newest part, in a file.

use std::path::Path;

use flumen_faults::Faults;
use tokio::io::AsyncWriteExt;

use crate::{Error, error::no_answer, logs::KEPT_BYTES};

/// Writes a file that appears when it is whole.
pub(crate) async fn write_whole(
    faults: &Faults,
    directory: &Path,
    name: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let (path, part) =
        (directory.join(format!("{name}.log")), directory.join(format!("{name}.part")));
    let mut file = tokio::fs::File::create(&part).await.map_err(Error::file("create", &part))?;
    file.write_all(bytes).await.map_err(Error::file("write", &part))?;
    file.flush().await.map_err(Error::file("write", &part))?;
    file.sync_all().await.map_err(Error::file("write", &part))?;
    faults
        .around("file.save-log", tokio::fs::rename(&part, &path), no_answer)
        .await
        .map_err(Error::file("rename", &part))
}

/// Keeps the newest [`KEPT_BYTES`] of a stream, in at most twice that memory.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        let kept = kept();
        if self.bytes.len() > 2 * kept {
            self.bytes.drain(..self.bytes.len() - kept);
        }
    }

    pub(crate) fn newest(&self) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(kept())..]
    }
}

fn kept() -> usize {
    usize::try_from(KEPT_BYTES).unwrap_or(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_part_of_a_long_log_is_kept() {
        let mut tail = Tail::default();
        for _ in 0..25 {
            tail.push(&vec![b'a'; 1 << 20]);
        }
        tail.push(b"end");
        assert_eq!(tail.newest().len(), kept());
        assert!(tail.newest().ends_with(b"aend"));
    }
}
