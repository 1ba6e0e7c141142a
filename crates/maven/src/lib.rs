#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod checksum;
mod client;
mod collect;
mod conflict;
mod coordinates;
mod copies;
mod effective;
mod environment;
mod error;
mod graph;
mod interpolate;
mod local;
mod metadata;
mod order;
mod pom;
mod progress;
mod repository;
mod resolver;
mod rules;
mod scope;
mod settings;
mod transport;
mod xml;

pub use client::{Client, Progress};
pub use coordinates::{Coordinates, Exclusion, Gav};
pub use copies::Copied;
pub use effective::Unusable;
pub use environment::Environment;
pub use error::Error;
pub use pom::{Activation, Dependency, License, Pom, Profile, Relocation, Section};
pub use repository::{Answer, Repository, Want};
pub use resolver::{Artifact, Request, Resolution, Resolver, Step, Wanted, file_names};
pub use rules::{PLATFORM_RULES, platform_exclusions};
pub use scope::Scope;
pub use settings::{
    Access, CENTRAL_URL, Proxy, Remote, Settings, SettingsFiles, installed as installed_settings,
    load as load_settings,
};
pub use xml::XmlError;
