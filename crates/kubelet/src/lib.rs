//! kubelet

mod directory;
mod dns;
mod environment;
mod error;
mod events;
mod images;
mod logs;
mod network;
mod pod;
mod pods;
mod protocol;
mod proxy;
mod runner;
mod settings;
mod volumes;

pub use network::{Attachment, Dialer, NodeNetwork, Range};
pub use pod::pod_main;
pub use protocol::{Container, Exit, IdMap, Mount};
pub use runner::{Output, Process, Runner};
pub use runner::Error as RunnerError;

/// test
pub fn network_settings() -> network::Settings { network::Settings::default() }
