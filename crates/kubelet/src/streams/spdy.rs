//! The server's side of SPDY/3.1, as far as `kubectl` and its library speak it: streams that the client opens, data,
//! their ends, pings.
//!
//! They know neither windows nor settings nor priorities, so that a stream nobody reads holds up the others, as it does
//! with the real kubelet; frames about these are skipped.

mod frame;
mod headers;
mod session;

pub(crate) use session::{Session, Stream};
