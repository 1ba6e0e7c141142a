use std::io::Write;

use clap::Subcommand;

use crate::{
    Error, Explain, Image, Jar, Maven, Registry, Render, Schema, Sql, explain, image, jar, maven,
    registry, render, schema, sql,
};

/// The commands that need no server, but for `sql check --explain`: that half of it is whoever calls
/// [`run`]'s.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the Kubernetes objects of a job
    Render(Render),
    /// Print every effective Flink option of a job with the layer that set it
    Explain(Explain),
    /// Print the JSON schema of a file
    Schema(Schema),
    /// Split and check scripts in Flink SQL
    Sql(Sql),
    /// Look into jars
    Jar(Jar),
    /// Resolve and fetch artifacts from Maven repositories, without Maven
    #[command(subcommand)]
    Maven(Maven),
    /// Put files on top of images and look into images, without a container engine
    #[command(subcommand)]
    Image(Box<Image>),
    /// Check image registries
    #[command(subcommand)]
    Registry(Registry),
}

/// Where a command writes, and in which form.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Warnings and notes for people.
    pub notes: &'a mut dyn Write,
    /// One JSON value instead of text for people.
    pub json: bool,
    /// Whether notes go to a terminal, where a line may be drawn again.
    pub is_terminal: bool,
    /// Values of environment variables.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Carries out a command.
///
/// # Errors
/// If a file cannot be read or is wrong, the job cannot be rendered, artifacts cannot be had, a registry
/// refuses, or the output is closed.
pub fn run(command: &Command, streams: &mut Streams<'_>) -> Result<(), Error> {
    match command {
        Command::Render(arguments) => render::run(arguments, streams),
        Command::Explain(arguments) => explain::run(arguments, streams),
        Command::Schema(arguments) => schema::run(arguments, streams),
        Command::Sql(arguments) => sql::run(arguments, streams),
        Command::Jar(arguments) => jar::run(arguments, streams),
        Command::Maven(command) => maven::run(command, streams),
        Command::Image(command) => image::run(command, streams),
        Command::Registry(command) => registry::run(command, streams),
    }
}

impl Streams<'_> {
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Error> {
        self.out.write_all(text.as_bytes()).map_err(|source| Error::Print { source })
    }

    pub(crate) fn note(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self.notes, "{text}").map_err(|source| Error::Print { source })
    }

    pub(crate) fn print_json(&mut self, value: &impl serde::Serialize) -> Result<(), Error> {
        serde_json::to_writer_pretty(&mut *self.out, value)
            .map_err(|source| Error::Print { source: source.into() })?;
        self.print("\n")
    }
}
