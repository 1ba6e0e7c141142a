#![doc = include_str!("../README.md")]

mod digest;
mod error;
mod handler;
mod name;
mod refusal;
mod route;
mod server;
mod storage;

pub use error::Error;
pub use server::serve;
