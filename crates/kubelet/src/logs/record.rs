//! One line of a log file.

use jiff::Timestamp;

/// Longest piece of a line in one record.
pub(super) const LONGEST_PIECE: usize = 16 * 1024;

/// A parsed record; the content has its line feed when the record completes a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) timestamp: &'a [u8],
    pub(super) complete: bool,
    pub(super) content: &'a [u8],
}

/// Appends a record; `piece` has no line feed.
pub(super) fn render(
    buffer: &mut Vec<u8>,
    now: Timestamp,
    stream: &str,
    complete: bool,
    piece: &[u8],
) {
    let mark = if complete { 'F' } else { 'P' };
    buffer.extend_from_slice(format!("{now:.9} {stream} {mark} ").as_bytes());
    buffer.extend_from_slice(piece);
    buffer.push(b'\n');
}

/// Parses a line with its line feed; `None` when it is no record.
pub(super) fn parse(line: &[u8]) -> Option<Record<'_>> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let (timestamp, _stream, mark, content) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let complete = match mark {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    let content = if complete { content } else { content.strip_suffix(b"\n").unwrap_or(content) };
    Some(Record { timestamp, complete, content })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let mut text = Vec::new();
        render(&mut text, "2026-01-02T03:04:05.6Z".parse().unwrap(), "stderr", true, b"a b  c");
        assert_eq!(text, b"2026-01-02T03:04:05.600000000Z stderr F a b  c\n");
        let record = parse(&text).unwrap();
        assert_eq!((record.content, record.complete), (&b"a b  c\n"[..], true));
        text.clear();
        render(&mut text, "2026-01-02T03:04:05Z".parse().unwrap(), "stdout", false, b"");
        let record = parse(&text).unwrap();
        assert_eq!((record.content, record.complete), (&b""[..], false));
        assert_eq!(parse(b"garbage\n"), None);
    }
}
