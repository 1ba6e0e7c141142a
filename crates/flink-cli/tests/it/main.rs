//! The drop-ins as a user calls them, against a Kubernetes API that records and a fake JobManager.

mod case;
#[path = "../../../flink-manifest/tests/it/compare.rs"]
mod compare;
mod deploy;
mod documentation;
mod drop_in;
mod golden;
mod jobs;
mod kubernetes;
mod session;
mod submit;
