//! The two messages of `grpc.health.v1`, each in an envelope of gRPC: a byte that says whether it is compressed, its length,
//! itself. Pure.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The field `service` of the request, a text, and `status` of the answer, a number.
const SERVICE: u8 = 1 << 3 | 2;
const STATUS: u64 = 1;

/// What a server says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(i32);

impl Status {
    pub(super) const SERVING: Self = Self(1);
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => formatter.write_str("UNKNOWN"),
            1 => formatter.write_str("SERVING"),
            2 => formatter.write_str("NOT_SERVING"),
            3 => formatter.write_str("SERVICE_UNKNOWN"),
            other => other.fmt(formatter),
        }
    }
}

/// A request for the health of a service; of the whole server without a name.
pub(super) fn request(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(SERVICE);
        put_varint(&mut message, service.len() as u64);
        message.put_slice(service.as_bytes());
    }
    let mut envelope = BytesMut::with_capacity(message.len() + 5);
    envelope.put_u8(0);
    envelope.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    envelope.put(message);
    envelope.freeze()
}

/// `None` if it is no such answer.
pub(super) fn read(mut envelope: &[u8]) -> Option<Status> {
    let compressed = envelope.try_get_u8().ok()? != 0;
    let length = usize::try_from(envelope.try_get_u32().ok()?).ok()?;
    if compressed || envelope.len() != length {
        return None;
    }
    let mut status = Status(0);
    while !envelope.is_empty() {
        let tag = get_varint(&mut envelope)?;
        let length = match tag & 7 {
            0 => {
                let number = get_varint(&mut envelope)?;
                if tag >> 3 == STATUS {
                    // A number of this kind has 32 bits; a negative one is sent with 64.
                    let bytes = number.to_le_bytes();
                    status = Status(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
                }
                0
            }
            1 => 8,
            2 => usize::try_from(get_varint(&mut envelope)?).ok()?,
            5 => 4,
            _ => return None,
        };
        envelope = envelope.get(length..)?;
    }
    Some(status)
}

fn put_varint(into: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        into.put_u8(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.put_u8(number.to_le_bytes()[0]);
}

fn get_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = from.try_get_u8().ok()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_service() {
        assert_eq!(request("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(request("db")[..], [0, 0, 0, 0, 4, 0x0a, 2, b'd', b'b']);
        let long = "x".repeat(300);
        assert_eq!(request(&long)[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
    }

    #[test]
    fn an_answer_tells_its_status_among_other_fields() {
        let status = |message: &[u8]| {
            let mut envelope = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
            envelope.extend(message);
            read(&envelope).map(|status| status.to_string())
        };
        assert_eq!(status(&[]).as_deref(), Some("UNKNOWN"));
        assert_eq!(status(&[8, 1]).as_deref(), Some("SERVING"));
        let fields = [0x12, 2, 8, 1, 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0x28, 1];
        assert_eq!(status(&fields).as_deref(), Some("NOT_SERVING"));
        assert_eq!(status(&[8, 0xac, 2]).as_deref(), Some("300"));
        let minus = [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(status(&minus).as_deref(), Some("-1"));
        for broken in [&[8][..], &[8, 0xff], &[0x12, 9, 1], &[0x0b], &[0x1d, 0]] {
            assert_eq!(status(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_no_answer() {
        for broken in [&[][..], &[0, 0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 8, 1]] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
    }
}
