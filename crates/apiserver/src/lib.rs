#![doc = include_str!("../README.md")]

pub use self::{
    error::Error,
    security::authority::{Authority, Pair},
    server::ApiServer,
    settings::{AddressRange, Dialer, Settings},
    transport::in_process::InProcess,
};

mod admission;
mod allocation;
mod api;
mod bootstrap;
mod clock;
mod discovery;
mod error;
mod expiry;
mod failure;
mod forward;
mod lock;
mod managed;
mod patches;
mod protobuf;
mod request;
mod resources;
mod security;
mod selector;
mod server;
mod settings;
mod storage;
mod transport;
mod verbs;
mod view;
