//! Wheels from an index on loopback.

mod index;
mod resolve;
mod wheel;
