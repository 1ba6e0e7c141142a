//! `flumen image`. The documentation of the fields is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

mod append;
mod base;
mod build;
mod describe;
mod inspect;
mod place;
mod sbom;
pub(crate) mod session;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use flumen_model::Secret;

use crate::{Error, Streams};
pub use append::Append;
pub(crate) use base::base_schema;
pub use build::BuildBase;
pub use inspect::Inspect;

/// What can be done with images.
#[derive(Debug, Subcommand)]
pub enum Image {
    /// Put files on top of an image, push the result and print its reference by digest
    Append(Append),
    /// Build a base image of one's own from a file, push it and print its reference by digest
    Build(BuildBase),
    /// Print what an image in a registry is made of
    Inspect(Inspect),
}

/// How registries are spoken to.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Registry, HOST or HOST:PORT, that is spoken to by HTTP without TLS; registries on this machine always are;
    /// may be repeated
    #[arg(long, value_name = "HOST", value_parser = session::registry)]
    insecure_registry: Vec<String>,

    /// PEM file with certificates that are trusted besides the system's; may be repeated
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    /// Proxy for registries that are not on this machine, such as http://proxy.example:3128
    /// [default: what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL", value_parser = session::secret)]
    proxy: Option<Secret>,

    /// File with credentials or credential helpers, as `docker login` writes it
    /// [default: Docker's config.json, then Podman's auth.json]
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

pub(crate) fn run(command: &Image, streams: &mut Streams<'_>) -> Result<(), Error> {
    match command {
        Image::Append(arguments) => append::run(arguments, streams),
        Image::Build(arguments) => build::run(arguments, streams),
        Image::Inspect(arguments) => inspect::run(arguments, streams),
    }
}
