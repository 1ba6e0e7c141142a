use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use clap::{Args, ValueEnum};
use flumen_image::{
    Attachment, Layer, Platform, Progress, Pushed, PushedIndex, Reference, SBOM_TITLE, Sbom,
    SbomSubject,
};
use flumen_model::InvalidValue;
use serde_json::{Value, json};

use super::{
    Connection,
    place::Place,
    sbom::{self, Added},
    session::Session,
};
use crate::{Error, Streams, progress::megabytes};

/// Put files on top of an image, push the result and print its reference by digest
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen image append flink:1.20.5 registry.example.com/team/job:v1 --add target/job.jar:/opt/flink/usrlib/
  flumen image append flink:1.20.5 example.com/job:v1 --add conf:/etc/job --label org.opencontainers.image.title=job
  flumen image append flink:1.20.5 registry.example.com/team/flink:1 --add lib:/opt/flink/lib --platform all
  flumen image append flink:1.20.5 localhost:5000/job:v1 --add job.jar:/job.jar --output json | jq -r .reference
  flumen image append flink:1.20.5 localhost:5000/job:v1 --add job.jar:/job.jar --compression zstd --sbom

Each --add becomes a layer of its own, in their order. The same base, files and labels give the same image,
byte for byte; what the registry has already is not sent. Everything belongs to root; files get mode 0644, or
0755 if somebody may execute them.")]
pub struct Append {
    /// Image to put the files on
    #[arg(value_name = "BASE")]
    base: Reference,

    /// Name of the result, with a tag; without one it is found only by its digest
    #[arg(value_name = "TARGET")]
    target: Reference,

    /// File or directory of this machine, and where it stands in the image; a directory stands for what is in it,
    /// a file goes into DST if that ends with a slash; may be repeated
    #[arg(long = "add", required = true, value_name = "SRC:DST")]
    places: Vec<Place>,

    /// Label to set, for example org.opencontainers.image.title=job; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// How the layers are compressed: gzip can be read by everything, zstd is much faster
    #[arg(long, value_enum, default_value_t = Compression::Gzip)]
    compression: Compression,

    /// Which image of an index of several is taken, OS/ARCHITECTURE[/VARIANT]; with all each of them is, and the
    /// result is an index
    #[arg(long, value_name = "PLATFORM", default_value = "linux/amd64")]
    platform: Platforms,

    /// Attach a list of what was put in, as SPDX in JSON, which registries find by the digest of the image
    #[arg(long)]
    sbom: bool,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

#[derive(Debug, Clone)]
pub(super) enum Platforms {
    All,
    One(Platform),
}

impl From<Compression> for flumen_image::Compression {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => Self::Gzip,
            Compression::Zstd => Self::Zstd,
        }
    }
}

impl Platforms {
    /// The one that is looked at where one must be.
    pub(super) fn first(&self) -> Platform {
        match self {
            Self::All => Platform::default(),
            Self::One(platform) => platform.clone(),
        }
    }
}

impl FromStr for Platforms {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

fn label(text: &str) -> Result<(String, String), InvalidValue> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(InvalidValue::new("label", text, "expected KEY=VALUE")),
    }
}

pub(super) fn run(arguments: &Append, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Append { base, target, places, connection, .. } = arguments;
    if target.digest().is_some() {
        return Err(Error::TargetHasDigest { target: target.to_string() });
    }
    let labels = labels(&arguments.labels)?;
    let session = Session::start(connection, arguments.platform.first(), &[base, target], streams)?;
    let scratch = tempfile::tempdir().map_err(|source| Error::MakeScratch { source })?;
    let compression = flumen_image::Compression::from(arguments.compression);
    let (mut layers, mut files) = (Vec::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        let path = scratch.path().join(number.to_string());
        let line = || format!("packing {}", place.source.display());
        let layer = place.layer()?;
        files.extend(layer.files().map(|(path, source)| Added {
            path: path.to_owned(),
            source: source.to_owned(),
            maven: None,
        }));
        layers.push(session.run(line, layer.write(compression, path), streams)?);
    }
    let environment = BTreeMap::new();
    let append = flumen_image::Append {
        base,
        target,
        layers: &layers,
        labels: &labels,
        environment: &environment,
    };
    let pushed = push(&session, &append, &arguments.platform, streams)?;
    let sboms =
        if arguments.sbom { attach(&session, &pushed, &files, streams)? } else { Vec::new() };
    if streams.json {
        return streams.print_json(&listed(arguments, &layers, &pushed, &sboms));
    }
    streams.print(&format!("{}\n", pushed.index.reference))?;
    let size = megabytes(layers.iter().map(|layer| layer.size).sum());
    let count = layers.len();
    let subject = if count == 1 { "layer lies" } else { "layers lie" };
    let sent = megabytes(pushed.index.sent_bytes);
    for sbom in &sboms {
        streams.note(&format!("The list of what was put in is {sbom}."))?;
    }
    streams.note(&format!("{count} {subject} on {base}, {size}; {sent} were sent."))
}

/// Puts layers on an image, or on each of an index.
pub(super) fn push(
    session: &Session,
    append: &flumen_image::Append<'_>,
    platforms: &Platforms,
    streams: &mut Streams<'_>,
) -> Result<PushedIndex, Error> {
    let (progress, line) = progress();
    match platforms {
        Platforms::All => session.run(line, session.client.append_all(append, &progress), streams),
        Platforms::One(_) => session
            .run(line, session.client.append(append, &progress), streams)
            .map(|index| PushedIndex { index, images: Vec::new() }),
    }
}

/// Attaches the list of files to each image, and returns what the lists are called.
pub(super) fn attach(
    session: &Session,
    pushed: &PushedIndex,
    files: &[Added],
    streams: &mut Streams<'_>,
) -> Result<Vec<String>, Error> {
    let known = sbom::look_at(files, streams)?;
    let images: Vec<&Pushed> = if pushed.images.is_empty() {
        vec![&pushed.index]
    } else {
        pushed.images.iter().map(|(_, pushed)| pushed).collect()
    };
    let mut sboms = Vec::new();
    for image in images {
        let subject = SbomSubject::Image(&image.reference);
        let document = Sbom { subject, base: None, files: &known }.document();
        let attachment = Attachment::sbom(&document);
        let line = || format!("attaching {SBOM_TITLE}");
        let attached = session.run(line, session.client.attach(image, &attachment), streams)?;
        sboms.push(attached.reference.to_string());
    }
    Ok(sboms)
}

fn labels(given: &[(String, String)]) -> Result<BTreeMap<String, String>, Error> {
    let mut labels = BTreeMap::new();
    for (key, value) in given {
        if let Some(first) = labels.insert(key.clone(), value.clone()) {
            let (key, second) = (key.clone(), value.clone());
            return Err(Error::LabelTwice { key, first, second });
        }
    }
    Ok(labels)
}

/// What tells the client's progress, and how it is said.
fn progress() -> (Progress, impl Fn() -> String) {
    let counts = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let told = counts.clone();
    let progress = Progress::new(move |moved, total| {
        told.0.store(moved, Ordering::Relaxed);
        told.1.store(total, Ordering::Relaxed);
    });
    let line = move || {
        let (moved, total) = (&counts.0, &counts.1);
        let (moved, total) = (moved.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        format!("sending: {} of {}", megabytes(moved), megabytes(total))
    };
    (progress, line)
}

fn listed(arguments: &Append, layers: &[Layer], pushed: &PushedIndex, sboms: &[String]) -> Value {
    let layers = arguments.places.iter().zip(layers).map(|(place, layer)| {
        json!({
            "source": place.source.display().to_string(),
            "destination": place.destination,
            "digest": layer.digest,
            "diffId": layer.diff_id,
            "mediaType": layer.media_type.to_string(),
            "size": layer.size,
        })
    });
    let image = |(platform, pushed): &(Platform, Pushed)| {
        let reference = pushed.reference.to_string();
        json!({ "platform": platform.to_string(), "reference": reference, "digest": pushed.digest })
    };
    json!({
        "reference": pushed.index.reference.to_string(),
        "digest": pushed.index.digest,
        "tag": arguments.target.tag(),
        "base": arguments.base.to_string(),
        "sentBytes": pushed.index.sent_bytes,
        "layers": layers.collect::<Vec<_>>(),
        "images": pushed.images.iter().map(image).collect::<Vec<_>>(),
        "sboms": sboms,
    })
}
