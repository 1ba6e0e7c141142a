use std::path::{self, PathBuf};

use clap::Args;
use flumen_api_types::{AddVersion, VersionSource};
use flumen_model::FlinkVersion;
use reqwest::Method;

use crate::{
    Error,
    arguments::{EnvironmentArguments, WaitArguments},
    commands::Context,
};

/// Make a Flink version available to jobs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version add 1.20.5 --wait
  flumen version add 2.3.0 --from-directory /opt/flink-2.3.0
  flumen version add 1.20.5 --from-image registry.example.com/platform/flink:1.20.5-kafka --wait
  flumen version add 1.20.5 --pyflink /srv/pyflink-1.20.5 --wait

Without --from-directory and --from-image the files come from the Python packages apache-flink
and apache-flink-libraries, which the server downloads with pip. An image is taken by its digest:
a version that is added again stands on the new one, and a job does when it is applied next.

Python jobs need a base image with PyFlink. Install it on the server's machine, then add
the version with it:
  /usr/bin/python3 -m pip install --target /srv/pyflink-1.20.5 apache-flink==1.20.5")]
pub struct Add {
    /// The Flink version, such as 1.20.5
    version: FlinkVersion,

    #[command(flatten)]
    environment: EnvironmentArguments,

    /// Take the files from an unpacked Flink distribution on the server's machine
    #[arg(long, value_name = "DIRECTORY")]
    from_directory: Option<PathBuf>,

    /// Take an image of the environment's registry, such as `flumen image build` makes
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["from_directory", "pyflink"])]
    from_image: Option<String>,

    /// Put PyFlink into the base image: a directory on the server's machine into which it was installed
    #[arg(long, value_name = "DIRECTORY")]
    pyflink: Option<PathBuf>,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Add {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let source = match (self.from_image, self.from_directory) {
            (Some(image), _) => VersionSource::Image(image),
            (None, None) => VersionSource::PythonPackages(true),
            (None, Some(directory)) => VersionSource::Directory(absolute(directory)?),
        };
        let pyflink = self.pyflink.map(absolute).transpose()?;
        let version = self.version;
        let environment = context.environment(self.environment);
        let operation = context
            .client
            .call(Method::POST, format!("add Flink {version}"), &["versions"])
            .json(&AddVersion { version, environment: Some(environment), source, pyflink })
            .idempotent()
            .fetch()
            .await?;
        context.finish(operation, &self.wait, |_| format!("Flink {version} is ready.")).await
    }
}

fn absolute(directory: PathBuf) -> Result<String, Error> {
    let absolute =
        path::absolute(&directory).map_err(|source| Error::Directory { directory, source })?;
    Ok(absolute.to_string_lossy().into_owned())
}
