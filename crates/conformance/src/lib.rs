#![doc = include_str!("../README.md")]

mod case;
mod differences;
mod kubernetes;
mod local;
mod normal;
mod record;
mod rights;
mod run;
mod suite;
mod target;
mod text;

pub use kubernetes::{Kubernetes, build};
pub use local::Local;
pub use rights::rights;
pub use suite::{Outcome, Suite};
pub use target::Target;
