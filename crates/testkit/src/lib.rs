#![doc = include_str!("../README.md")]
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    reason = "it is only used in tests, where a panic is how a failure is told"
)]

mod directory;
mod disk;
mod eventually;
mod fake_flink;
mod jar;
mod s3_server;
mod samples;

pub use directory::TempDirectory;
pub use disk::{ReadOnlyFile, SmallDisk};
pub use eventually::{eventually, eventually_async};
pub use fake_flink::{FakeFlink, Fault, Received};
pub use jar::{artifact_jar, jar, main_class, program};
pub use s3_server::{S3Keys, S3Server};
pub use samples::{Sample, VERSIONS, sample, samples};
