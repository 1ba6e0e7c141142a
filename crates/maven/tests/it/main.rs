//! What Maven said, and what we say.

mod http;
mod properties;
mod record;
mod server;
mod trees;
