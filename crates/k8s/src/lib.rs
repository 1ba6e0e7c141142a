#![doc = include_str!("../README.md")]

mod access;
mod apply;
mod call;
mod clock;
mod cluster;
mod command;
mod conditions;
mod create;
mod delete;
mod error;
mod events;
mod leftovers;
mod logs;
mod names;
mod native;
mod observation;
mod permissions;
mod pods;
mod proxy;
mod redact;
mod reduce;
mod renewal;
mod watch;

pub use access::Access;
pub use cluster::{Cluster, ServerVersion, Timeouts};
pub use conditions::DnsSeen;
pub use create::Created;
pub use delete::{Deletion, Guard};
pub use error::{Cause, Error};
pub use events::EventSeen;
pub use leftovers::Leftovers;
pub use logs::{LogRequest, LogStream};
pub use names::{
    FIELD_MANAGER, LABEL_APP, LABEL_COMPONENT, LABEL_TYPE, MAIN_CONTAINER, NATIVE_TYPE,
    is_ha_config_map,
};
pub use native::{NodeAddress, RestService, SecretContent};
pub use observation::{
    Component, ContainerEnd, ContainerWait, DeploymentCondition, DeploymentSeen, Observation,
    PodPhase, PodSeen, Watched,
};
pub use pods::PodPort;
pub use proxy::{ProxyAnswer, ProxyBody, ServicePort};
pub use watch::WatchScope;
