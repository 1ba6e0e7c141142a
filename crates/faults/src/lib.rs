#![doc = include_str!("../README.md")]

mod faults;
mod hit;

pub use faults::{Faults, Plan};
pub use hit::{Hit, InvalidHit};
