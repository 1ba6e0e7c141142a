#![doc = include_str!("../README.md")]

mod client;
mod compose;
mod credential;
mod error;
mod hashing;
mod layer;
mod media_type;
mod progress;
mod reference;
mod sbom;
mod settings;

pub use client::{
    ArtifactFile, Attached, Attachment, Checked, Client, Image, Inspected, PlatformImage,
};
pub use compose::{Append, Build, Configuration, Pushed, PushedIndex};
pub use credential::{Credential, credential_files};
pub use error::Error;
pub use flumen_model::Digest;
pub use hashing::{Checksums, checksums, sha1_of};
pub use layer::{Attributes, Compression, Content, Layer, LayerBuilder};
pub use oci_spec::image::{Descriptor, ImageConfiguration, ImageManifest, MediaType};
pub use progress::Progress;
pub use reference::Reference;
pub use sbom::{
    SBOM_MEDIA_TYPE, SBOM_TITLE, Sbom, SbomFile, SbomJar, SbomLicense, SbomOrigin, SbomPackage,
    SbomSubject,
};
pub use settings::{Platform, Retry, Settings};
