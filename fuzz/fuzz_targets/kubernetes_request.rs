//! A request to the local cluster's API as a whole: a line with method and target, lines with headers, an empty line, the body. It
//! has an answer, and none that says that the server failed.
#![no_main]

use flumen_fuzz::{Answer, Server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &b""[..]),
    };
    let Ok(head) = std::str::from_utf8(head) else { return };
    let mut lines = head.lines();
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let headers = lines.filter_map(|line| line.split_once(": "));
    Server::with(|server| {
        if let Some(Answer { status, text }) = server.send(method, target, headers, body.to_vec()) {
            // Some mistakes of clients get 500 from the real server, too, but then without a reason.
            assert!(!(status == 500 && text.contains("InternalError")), "{text}");
        }
    });
});
