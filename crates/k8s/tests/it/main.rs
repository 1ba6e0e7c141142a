//! The adapter against the API server of the local cluster, and against one that misbehaves on purpose.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod access;
mod calls;
mod command;
mod create;
mod delete;
mod fake;
mod logs;
mod native;
mod pods;
mod proxy;
mod real;
mod watch;
