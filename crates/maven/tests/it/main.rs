//! What Maven said, and what we say.

mod ask;
mod http;
mod properties;
mod record;
mod server;
mod trees;
