//! What Maven said, and what we say.

mod record;
mod trees;
