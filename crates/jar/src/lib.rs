#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod archive;
mod check;
mod class_file;
mod error;
mod evidence;
mod facts;
mod image;
mod image_classes;
mod inspect;
mod jar;
mod manifest;
mod names;
mod properties;
mod services;
mod warning;

pub use archive::{MOST_BYTES, MOST_CLASS_BYTES, MOST_ENTRIES, MOST_TEXT_BYTES};
pub use check::{Connector, Findings, ImageLib, ImageScala, Part, Problem, Program, Target, check};
pub use error::Error;
pub use facts::{BuiltFor, ClassFacts, FactoryFacts, Facts, Operators};
pub use image_classes::ImageClasses;
pub use inspect::inspect;
pub use jar::{Artifact, EvidenceKind, Factory, FlinkEvidence, Jar, Relocated, Scala, Service};
pub use manifest::Manifest;
pub use warning::Warning;
