//! How Flink reads text as a value of a type, and the other way round. The parsers answer with what
//! is allowed; whoever knows the key makes the error.

pub(crate) mod duration;
mod iso_duration;
pub(crate) mod scalar;
pub(crate) mod size;
pub(crate) mod structured;
