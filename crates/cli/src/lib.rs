#![doc = include_str!("../README.md")]

mod arguments;
mod artifacts;
mod client;
mod commands;
mod error;
mod exit;
mod follow;
mod job_files;
mod look;
mod printer;
mod run;
mod server_file;
mod settings;
mod table;
mod text;
mod variables;
mod watch;

pub use arguments::{GlobalArguments, OutputFormat};
pub use commands::Command;
pub use error::{Error, Explained};
pub use exit::{FAILED, code_for};
pub use look::{Seen, look};
pub use printer::Printer;
pub use run::{Surroundings, run};
pub use server_file::ServerFile;
pub use settings::{SERVER, Settings, TOKEN};
pub use table::{Cell, Table, Tone};
pub use variables::{Variables, variable};
