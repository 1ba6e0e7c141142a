use clap::Args;
use flumen_image::{Platform, Reference};

use super::{Connection, describe, session::Session};
use crate::{Error, Streams};

/// Print what an image in a registry is made of
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen image inspect flink:1.20.5
  flumen image inspect flink:1.20.5 --platform linux/arm64
  flumen image inspect registry.example.com/team/job:v1 --output json | jq -r '.image.layers[].digest'

Nothing but documents is read: the layers stay where they are.")]
pub struct Inspect {
    /// Image, by tag or by digest
    #[arg(value_name = "REF")]
    image: Reference,

    /// Which image of an index of several is shown, OS/ARCHITECTURE[/VARIANT]
    #[arg(long, value_name = "PLATFORM", default_value = "linux/amd64")]
    platform: Platform,

    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Inspect, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Inspect { image, platform, connection } = arguments;
    let session = Session::start(connection, platform.clone(), &[image], streams)?;
    let line = || format!("reading {image}");
    let found = session.run(line, session.client.inspect(image), streams)?;
    if streams.json {
        return streams.print_json(&describe::json(&found));
    }
    streams.print(&describe::text(&found))
}
