//! What the offline commands share. The documentation of the fields is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

use std::path::PathBuf;

use clap::Args;
use flumen_model::{Namespace, RunId};

use crate::LayerFile;

/// Which jobs, and what an environment would otherwise say about them.
#[derive(Debug, Clone, Args)]
pub struct JobArguments {
    /// A job file, or - for standard input
    #[arg(long = "file", short, required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Flink configuration of a layer below the job's, such as environment=prod.yaml; may be repeated
    #[arg(long = "layer", value_name = "LAYER=FILE")]
    pub layers: Vec<LayerFile>,

    /// Kubernetes namespace to render for
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub namespace: Namespace,

    /// Image to render with [default: flink:VERSION]
    #[arg(long, value_name = "REFERENCE")]
    pub image: Option<String>,

    /// Run id, which is also the Flink job id
    #[arg(long, value_name = "ID", default_value = "00000000000000000000000000000001")]
    pub run: RunId,

    /// Where checkpoints, savepoints and recovery data lie, as Flink sees it
    #[arg(long, value_name = "URI", default_value = "file:///opt/flink/storage")]
    pub storage: String,

    /// Directory of the node that holds a file: storage
    #[arg(long, value_name = "DIRECTORY", default_value = "/var/lib/flumen/storage")]
    pub storage_directory: String,
}
