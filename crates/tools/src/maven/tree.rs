use clap::Args;
use serde_json::json;

use super::{Listed, Wanted, plan::Session};
use crate::{Error, Streams};

/// Print what coordinates depend on, as Maven resolves it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen maven tree org.apache.flink:flink-connector-kafka:3.4.0-1.20
  flumen maven tree org.apache.flink:flink-connector-kafka:3.4.0-1.20 --platform-rules
  flumen maven tree org.apache.hadoop:hadoop-client:3.3.6 --exclude 'org.slf4j:*' --output json
  flumen maven tree org.apache.flink::flink-connector-kafka:1.14.6 --scala 2.11
  flumen maven tree com.example:job:1.0 --repository company=https://repository.example.com/maven

What is needed to compile and to run is shown, as `mvn dependency:tree -Dscope=runtime` shows it for
a project that depends on the coordinates.")]
pub struct Tree {
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) fn run(arguments: &Tree, streams: &mut Streams<'_>) -> Result<(), Error> {
    let session = Session::start(&arguments.wanted.sources, streams)?;
    let resolution = session.resolve(&arguments.wanted, streams)?;
    if streams.json {
        let artifacts = resolution.artifacts.iter().map(|one| Listed::new(one, None));
        return streams.print_json(&json!({ "artifacts": artifacts.collect::<Vec<_>>() }));
    }
    streams.print(&resolution.to_string())
}
