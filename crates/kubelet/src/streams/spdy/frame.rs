//! Frames as bytes. Pure.

use std::io;

/// Why what a client sends is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not read from the client")]
    Read(#[from] io::Error),
    #[error("the client speaks version {0} of SPDY, and only version 3 is known")]
    Version(u16),
    #[error(
        "a control frame of {0} bytes is longer than the longest that is taken, {LONGEST_CONTROL}"
    )]
    TooLong(usize),
    #[error("a frame of type {0} ends too early")]
    Short(u16),
    #[error("the headers of a stream could not be read: {0}")]
    Headers(&'static str),
    #[error("the client opened the stream {0}, which it may not open (again)")]
    Stream(u32),
}

/// Longest control frame; those of `kubectl` have some hundred bytes.
pub(super) const LONGEST_CONTROL: usize = 64 * 1024;
pub(super) const HEAD: usize = 8;
const VERSION: u16 = 3;
const LAST: u8 = 1;
const OPEN: u16 = 1;
const REPLY: u16 = 2;
const RESET: u16 = 3;
const PING: u16 = 6;
const GO_AWAY: u16 = 7;
const HEADERS: u16 = 8;
const CONTROL: u32 = 1 << 31;
const REFUSED: u32 = 3;

/// The first bytes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    Control { kind: u16, last: bool, length: usize },
    Data { stream: u32, last: bool, length: usize },
}

/// A control frame; header blocks are still compressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Control<'a> {
    Open {
        stream: u32,
        last: bool,
        block: &'a [u8],
    },
    /// More headers, which only keep the compression in step.
    Headers(&'a [u8]),
    Reset(u32),
    Ping(u32),
    Skipped,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

impl Head {
    pub(super) fn parse(bytes: [u8; HEAD]) -> Result<Self, Error> {
        let [a, b, c, d, sizes @ ..] = bytes;
        let first = u32::from_be_bytes([a, b, c, d]);
        let [flags, length @ ..] = sizes;
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let last = flags & LAST != 0;
        if first & CONTROL == 0 {
            return Ok(Self::Data { stream: first, last, length });
        }
        let version = u16::from_be_bytes([a & 0x7f, b]);
        if version != VERSION {
            return Err(Error::Version(version));
        }
        if length > LONGEST_CONTROL {
            return Err(Error::TooLong(length));
        }
        Ok(Self::Control { kind: u16::from_be_bytes([c, d]), last, length })
    }
}

impl<'a> Control<'a> {
    pub(super) fn parse(kind: u16, last: bool, bytes: &'a [u8]) -> Result<Self, Error> {
        let short = || Error::Short(kind);
        let first = || number(bytes, 0).map(|number| number & !CONTROL).ok_or_else(short);
        let after = |at: usize| bytes.get(at..).ok_or_else(short);
        Ok(match kind {
            // Two bytes of priority and slot follow the stream and the one it belongs to.
            OPEN => Self::Open { stream: first()?, last, block: after(10)? },
            REPLY | HEADERS => Self::Headers(after(4)?),
            RESET => Self::Reset(first()?),
            PING => Self::Ping(number(bytes, 0).ok_or_else(short)?),
            _ => Self::Skipped,
        })
    }
}

fn control(kind: u16, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(HEAD + length);
    frame.extend((0x8000 | VERSION).to_be_bytes());
    frame.extend(kind.to_be_bytes());
    frame.extend(size(0, length));
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame
}

/// Flags and length. Nothing that is sent comes near to the 16 MiB that fit.
fn size(flags: u8, length: usize) -> [u8; 4] {
    let [_, x, y, z] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [flags, x, y, z]
}

pub(super) fn reply(stream: u32, block: &[u8]) -> Vec<u8> {
    control(REPLY, &[&stream.to_be_bytes(), block])
}

pub(super) fn refuse(stream: u32) -> Vec<u8> {
    control(RESET, &[&stream.to_be_bytes(), &REFUSED.to_be_bytes()])
}

pub(super) fn ping(id: u32) -> Vec<u8> {
    control(PING, &[&id.to_be_bytes()])
}

pub(super) fn go_away(last_stream: u32) -> Vec<u8> {
    control(GO_AWAY, &[&last_stream.to_be_bytes(), &[0; 4]])
}

pub(super) fn data(stream: u32, last: bool, piece: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD + piece.len());
    frame.extend(stream.to_be_bytes());
    frame.extend(size(if last { LAST } else { 0 }, piece.len()));
    frame.extend_from_slice(piece);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(frame: &[u8]) -> (Head, &[u8]) {
        let (head, rest) = frame.split_at(HEAD);
        (Head::parse(head.try_into().unwrap()).unwrap(), rest)
    }

    #[test]
    fn what_is_written_reads_back() {
        let frame = data(5, true, b"abc");
        assert_eq!(split(&frame), (Head::Data { stream: 5, last: true, length: 3 }, &b"abc"[..]));
        let frame = ping(7);
        let (head, rest) = split(&frame);
        assert_eq!(head, Head::Control { kind: PING, last: false, length: 4 });
        assert_eq!(Control::parse(PING, false, rest).unwrap(), Control::Ping(7));
        let frame = refuse(9);
        assert_eq!(Control::parse(RESET, false, split(&frame).1).unwrap(), Control::Reset(9));
        let frame = reply(1, b"block");
        assert_eq!(
            Control::parse(REPLY, false, split(&frame).1).unwrap(),
            Control::Headers(b"block")
        );
        assert_eq!(go_away(3), [0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0]);
    }

    #[test]
    fn a_stream_is_opened_with_its_headers() {
        let bytes = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, b'x'];
        let expected = Control::Open { stream: 1, last: true, block: b"x" };
        assert_eq!(Control::parse(OPEN, true, &bytes).unwrap(), expected);
    }

    #[test]
    fn frames_of_hostile_clients_are_errors() {
        let parse = |bytes: [u8; 8]| Head::parse(bytes).unwrap_err().to_string();
        assert!(parse([0x80, 2, 0, 1, 0, 0, 0, 0]).contains("version 2"));
        assert!(parse([0x80, 3, 0, 1, 0, 255, 255, 255]).contains("longer than the longest"));
        for (kind, bytes) in [(OPEN, &[0; 9][..]), (RESET, &[0; 3]), (PING, &[]), (HEADERS, &[1])] {
            assert!(matches!(Control::parse(kind, false, bytes), Err(Error::Short(_))), "{kind}");
        }
        assert_eq!(Control::parse(4, false, &[]).unwrap(), Control::Skipped);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_a_frame_fail(
            head: [u8; HEAD],
            kind in 0..12u16,
            rest in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..20),
        ) {
            let _ = Head::parse(head);
            let _ = Control::parse(kind, head[0] & 1 == 0, &rest);
        }
    }
}
