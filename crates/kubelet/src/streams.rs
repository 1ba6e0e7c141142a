//! Several streams over one connection of a client: channels of a WebSocket, or SPDY/3.1.

mod link;
pub(crate) mod spdy;
pub(crate) mod web_socket;

pub(crate) use link::{Incoming, Link, Outgoing, PIECE};
