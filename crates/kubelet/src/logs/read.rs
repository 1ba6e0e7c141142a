//! From a log file to who asks for it.

use std::{io::SeekFrom, path::Path};

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;

use super::{Error, Log, record::parse};

/// What of a log is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Go on until the container has ended.
    pub(crate) follow: bool,
    /// Only this many lines from the end.
    pub(crate) tail: Option<usize>,
    /// Only what was written at this time or later.
    pub(crate) since: Option<Timestamp>,
    /// Begin each line with the time at which it was written.
    pub(crate) timestamps: bool,
    /// Stop after this many bytes.
    pub(crate) limit: Option<usize>,
}

const BLOCK: usize = 64 * 1024;
const BLOCK_OFFSET: u64 = BLOCK as u64;

/// Streams the wanted part of a log.
pub(crate) async fn stream(
    log: Log,
    query: Query,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<>, Error> {
    let keep_error = |source| Error::Keep { path: log.path.clone(), source };
    let mut file = File::open(&log.path).await.map_err(keep_error)?;
    let first = first_offset(&file).map_err(keep_error)?;
    let start = match query.tail {
        Some(lines) => find_tail(&mut file, lines, first).await.map_err(keep_error)?,
        None => first,
    };
    let (sender, receiver) = mpsc::channel(4);
    let reader = Reader {
        rest: Vec::new(),
        left: query.limit.unwrap_or(usize::MAX),
        line_begins: true,
        cut: start == first && first > 0,
        offset: start,
        query,
    };
    tokio::spawn(reader.run(file, log, sender));
    Ok(ReceiverStream::new(receiver))
}

/// Where the log begins: its oldest part may have been given back to the file system.
fn first_offset(file: &File) -> std::io::Result<u64> {
    data_from(file, 0)
}

/// Where the log goes on from this offset.
fn data_from(file: &File, offset: u64) -> std::io::Result<u64> {
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(offset)) {
        Ok(offset) => Ok(offset),
        // It ends there.
        Err(rustix::io::Errno::NXIO) => Ok(offset),
        Err(errno) => Err(errno.into()),
    }
}

/// Offset of the last `lines` lines; a line may consist of several records, of which only the last one counts.
async fn find_tail(file: &mut File, lines: usize, first: u64) -> std::io::Result<u64> {
    let length = file.metadata().await?.len();
    let mut offset = length;
    let mut seen = 0;
    // The beginning of the record that the block before cut in two.
    let mut cut: Vec<u8> = Vec::new();
    let mut last_record = true;
    while offset > first {
        let size = BLOCK_OFFSET.min(offset - first);
        offset -= size;
        file.seek(SeekFrom::Start(offset)).await?;
        let mut block = vec![0; usize::try_from(size).unwrap_or(BLOCK)];
        file.read_exact(&mut block).await?;
        block.append(&mut cut);
        let mut end = block.len();
        while end > 0 {
            let begin =
                block[..end - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if begin == 0 && offset > first {
                break;
            }
            // The last record may be an unfinished line, which counts as one.
            let complete = parse(&block[begin..end]).is_none_or(|record| record.complete);
            if complete || last_record {
                seen += 1;
                if seen > lines {
                    return Ok(offset + end as u64);
                }
            }
            last_record = false;
            end = begin;
        }
        block.truncate(end);
        cut = block;
    }
    Ok(first)
}

struct Reader {
    query: Query,
    /// The beginning of a record whose end is not read yet.
    rest: Vec<u8>,
    left: usize,
    line_begins: bool,
    /// The next record has lost its beginning.
    cut: bool,
    /// Where to read on.
    offset: u64,
}

impl Reader {
    async fn run(
        mut self,
        mut file: File,
        mut log: Log,
        sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    ) {
        let mut buffer = vec![0; BLOCK];
        loop {
            // What is written after this is seen in the next round.
            let ended = log.growth.borrow_and_update().ended;
            loop {
                let count = match self.read(&mut file, &mut buffer).await {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) => {
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                };
                let text = self.convert(&buffer[..count]);
                if !text.is_empty() && sender.send(Ok(text.into())).await.is_err() {
                    return;
                }
                if self.left == 0 {
                    return;
                }
            }
            if ended || !self.query.follow {
                return;
            }
            tokio::select! {
                changed = log.growth.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
        }
    }

    /// Goes past what was given back meanwhile to the file system, which would read as zeros without end.
    async fn read(&mut self, file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
        let data = data_from(file, self.offset)?;
        if data != self.offset {
            self.rest.clear();
            self.cut = true;
            self.offset = data;
        }
        file.seek(SeekFrom::Start(self.offset)).await?;
        let count = file.read(buffer).await?;
        self.offset += count as u64;
        Ok(count)
    }

    fn convert(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.rest);
        input.extend_from_slice(piece);
        let mut out = Vec::new();
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if line.ends_with(b"\n") {
                if !std::mem::take(&mut self.cut) {
                    self.render(line, &mut out);
                }
            } else {
                self.rest = line.to_vec();
            }
        }
        out.truncate(self.left);
        self.left -= out.len();
        out
    }

    fn render(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let Some(record) = parse(line) else { return };
        if let Some(since) = self.query.since {
            let written = std::str::from_utf8(record.timestamp)
                .ok()
                .and_then(|text| text.parse::<Timestamp>().ok());
            if written.is_some_and(|written| written < since) {
                return;
            }
        }
        if self.query.timestamps && self.line_begins {
            out.extend_from_slice(record.timestamp);
            out.push(b' ');
        }
        out.extend_from_slice(record.content);
        self.line_begins = record.complete;
    }
}

/// A log that was written by an earlier process, if its file is still there.
pub(crate) fn finished(path: &Path) -> Option<Log> {
    let (_, growth) = tokio::sync::watch::channel(super::Growth { bytes: 0, ended: true });
    path.is_file().then(|| Log { path: path.to_owned(), growth })
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tokio::sync::watch;

    use super::*;
    use crate::logs::Growth;

    const TEXT: &str = "2026-01-01T00:00:01.000000000Z stdout F one\n\
                        2026-01-01T00:00:02.000000000Z stdout P two, \n\
                        2026-01-01T00:00:03.000000000Z stdout F continued\n\
                        2026-01-01T00:00:04.000000000Z stderr F three\n";

    async fn read(query: Query) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), TEXT).unwrap();
        let log = finished(file.path()).unwrap();
        collect(stream(log, query).await.unwrap()).await
    }

    async fn collect(stream: impl Stream<Item = Result<Bytes, std::io::Error>>) -> String {
        let pieces: Vec<_> = stream.map(Result::unwrap).collect().await;
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[tokio::test]
    async fn lines_come_whole_and_can_be_chosen() {
        let all = "one\ntwo, continued\nthree\n";
        assert_eq!(read(Query::default()).await, all);
        for (tail, expected) in
            [(0, ""), (1, "three\n"), (2, "two, continued\nthree\n"), (3, all), (9, all)]
        {
            assert_eq!(
                read(Query { tail: Some(tail), ..Query::default() }).await,
                expected,
                "{tail}"
            );
        }
        let since = Some("2026-01-01T00:00:04Z".parse().unwrap());
        assert_eq!(read(Query { since, ..Query::default() }).await, "three\n");
        assert_eq!(read(Query { limit: Some(5), ..Query::default() }).await, "one\nt");
        assert_eq!(
            read(Query { timestamps: true, tail: Some(2), ..Query::default() }).await,
            "2026-01-01T00:00:02.000000000Z two, continued\n2026-01-01T00:00:04.000000000Z three\n"
        );
    }

    #[tokio::test]
    async fn the_tail_of_a_long_log_is_found_across_blocks() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<String> = (0..5000)
            .map(|n| format!("2026-01-01T00:00:01.000000000Z stdout F line {n}\n"))
            .collect();
        std::fs::write(file.path(), lines.concat()).unwrap();
        let query = Query { tail: Some(3000), ..Query::default() };
        let tail = collect(stream(finished(file.path()).unwrap(), query).await.unwrap()).await;
        assert_eq!(tail.lines().count(), 3000);
        assert_eq!(tail.lines().next(), Some("line 2000"));
    }

    #[tokio::test]
    async fn a_log_without_its_oldest_part_begins_with_a_whole_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |n: usize| format!("2026-01-01T00:00:01.000000000Z stdout F line {n:05}\n");
        std::fs::write(file.path(), (0..5000).map(line).collect::<Vec<_>>().concat()).unwrap();
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(file.reopen().unwrap(), flags, 0, 128 * 1024).unwrap();
        for tail in [None, Some(10_000)] {
            let query = Query { tail, ..Query::default() };
            let text = collect(stream(finished(file.path()).unwrap(), query).await.unwrap()).await;
            let first = 128 * 1024 / line(0).len() + 1;
            assert_eq!(text.lines().next().unwrap(), format!("line {first:05}"));
            assert_eq!(text.lines().count(), 5000 - first);
        }
    }

    #[tokio::test]
    async fn following_ends_with_the_container() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (sender, growth) = watch::channel(Growth::default());
        let log = Log { path: file.path().to_owned(), growth };
        let query = Query { follow: true, ..Query::default() };
        let mut stream = Box::pin(stream(log, query).await.unwrap());
        std::fs::write(file.path(), TEXT).unwrap();
        sender.send_replace(Growth { bytes: TEXT.len() as u64, ended: false });
        assert_eq!(stream.next().await.unwrap().unwrap(), "one\ntwo, continued\nthree\n");
        sender.send_replace(Growth { bytes: TEXT.len() as u64, ended: true });
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn who_was_held_up_goes_on_after_what_was_given_back() {
        use std::os::unix::fs::FileExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |n: usize| format!("2026-01-01T00:00:01.000000000Z stdout F line {n:05}\n");
        let mut before = (0..5000).map(line).collect::<String>();
        before.truncate(BLOCK);
        let whole = before.lines().count() - 1;
        std::fs::write(file.path(), &before).unwrap();
        let (sender, growth) = watch::channel(Growth::default());
        let log = Log { path: file.path().to_owned(), growth };
        let query = Query { follow: true, ..Query::default() };
        let mut stream = Box::pin(stream(log, query).await.unwrap());
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&first).lines().count(), whole);
        let after = format!("the end of a line\n{}", line(9000));
        let far = 1 << 30;
        file.as_file().write_all_at(after.as_bytes(), far).unwrap();
        sender.send_replace(Growth { bytes: far + after.len() as u64, ended: true });
        assert_eq!(collect(stream).await, "line 09000\n");
    }
}
