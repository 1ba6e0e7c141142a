#![doc = include_str!("../README.md")]

mod cgroups;
mod directory;
mod dns;
mod endpoint;
mod environment;
mod error;
mod events;
mod images;
mod leftovers;
mod logs;
mod member;
mod network;
mod node;
mod pod;
mod pods;
mod power;
mod pretend;
mod protocol;
mod provision;
mod proxy;
mod remove;
mod run;
mod runner;
mod settings;
mod streams;
mod sub_path;
mod user_namespace;
mod volumes;

pub use error::Error;
pub use network::{
    Attachment, Dialer, Error as NetworkError, NodeNetwork, Range, Settings as NetworkSettings,
};
pub use pod::pod_main;
pub use power::is_off;
pub use pretend::pretend;
pub use protocol::{Access, Container, ControlGroups, Exit, IdMap, Mount};
pub use run::run;
pub use runner::{Error as RunnerError, Output, Process, Runner};
pub use settings::{Allocatable, Endpoint, NodeSettings, Settings};
pub use user_namespace::{Error as UserNamespaceError, enter_user_namespace};
