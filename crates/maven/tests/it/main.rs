//! What Maven said, and what we say.

mod http;
mod record;
mod server;
mod trees;
