//! The client against a real registry, in front of which stands a server that asks for tokens, fails and forges.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod append;
mod authentication;
mod check;
mod credentials;
mod debian;
mod index;
mod layers;
mod network;
mod pull;
mod push;
mod support;
mod weather;
