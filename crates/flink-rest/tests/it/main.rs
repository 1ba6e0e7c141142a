//! The calls against answers recorded from real JobManagers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod answers;
mod every_sample;
mod requests;
