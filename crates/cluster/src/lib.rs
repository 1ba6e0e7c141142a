#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod certificate;
mod exec_credential;
mod jwt;
mod kubeconfig;
pub mod manifest;
pub mod needs;
pub mod quota;
pub mod rights;

pub use exec_credential::{ClientCertificate, ExecCredential, ExecCredentialError};
pub use kubeconfig::{Chosen, Error, FileField, Kubeconfig, Portable};
