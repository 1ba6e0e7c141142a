//! The transition table of `docs/generated`, made from the code.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod situations;
mod transitions;
