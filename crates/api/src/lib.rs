#![doc = include_str!("../README.md")]

mod artifacts;
mod boundary;
mod clusters;
mod document;
mod environments;
mod error;
mod extract;
mod jobs;
mod listen;
mod operations;
mod projects;
mod removals;
mod routes;
mod server;
mod settings;
mod snapshots;
mod state;
mod translate;
mod ui;
mod versions;

pub use document::document;
pub use listen::listen;
pub use routes::router;
pub use settings::Settings;
pub use ui::router as ui_router;
