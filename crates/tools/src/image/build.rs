use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use flumen_image::{
    Attributes, Content, Image, Layer, LayerBuilder, Platform, Pushed, PushedIndex,
};
use flumen_model::ArtifactRole;
use serde_json::{Value, json};

use super::{
    Connection,
    append::{Compression, Platforms, attach, push},
    base::{self, Base, Group},
    sbom::Added,
    session::Session,
};
use crate::{Error, Streams, maven::Sources, offline::load, progress::megabytes};

/// The Flink version that a base image is for.
const FLINK_VERSION_LABEL: &str = "flumen.dev/flink-version";
const TITLE_LABEL: &str = "org.opencontainers.image.title";

/// Build a base image of one's own from a file, push it and print its reference by digest
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen image build -f base.yaml
  flumen image build -f base.yaml --platform all --compression zstd
  flumen image build -f base.yaml --output json | jq -r .reference
  flumen version add 1.20.5 --from-image registry.example/flink-kafka:1.20.5 --wait

A file of a base image:

  name: Flink with Kafka
  flinkVersion: 1.20.5
  base: flink:1.20.5
  target: registry.example.com/platform/flink:1.20.5-kafka
  connectors:
    - maven: org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20
  udfs:
    - path: target/udfs.jar
  plugins:
    s3-fs-presto:
      - maven: org.apache.flink:flink-s3-fs-presto:1.20.5
  python:
    requirements: [geopy~=2.4]

Connectors go into lib, UDFs into usrlib, each plugin into a folder of its own, packages of Python to where Python
looks; each of these is a layer. Packages come from the index that FLUMEN_PYTHON_INDEX names [default: PyPI]. The same
files on the same base give the same image, byte for byte, and what the registry has already is not sent. A list of
what was put in is attached as SPDX. `flumen schema base` prints the JSON schema of the file.")]
pub struct BuildBase {
    /// File of the base image; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,

    /// How the layers are compressed: gzip can be read by everything, zstd is much faster
    #[arg(long, value_enum, default_value_t = Compression::Gzip)]
    compression: Compression,

    /// Which image of an index of several is taken, OS/ARCHITECTURE[/VARIANT]; with all each of them is, and the
    /// result is an index
    #[arg(long, value_name = "PLATFORM", default_value = "linux/amd64")]
    platform: Platforms,

    /// Do not attach the list of what was put in
    #[arg(long)]
    no_sbom: bool,

    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &BuildBase, streams: &mut Streams<'_>) -> Result<(), Error> {
    let (name, text) = load(&arguments.file)?;
    let directory = arguments.file.parent().unwrap_or(Path::new(""));
    let base = base::parse(&name, &text, directory)?;
    if base.python.is_some() && matches!(arguments.platform, Platforms::All) {
        let problem = "wheels are chosen for one platform; name it with --platform".to_owned();
        return Err(Error::BaseValue { file: name, key: "python".to_owned(), problem });
    }
    let images = [&base.parent, &base.target];
    let session =
        Session::start(&arguments.connection, arguments.platform.first(), &images, streams)?;
    // Before anything is fetched.
    let line = || format!("reading {}", base.parent);
    let below = session.run(line, session.client.pull_manifest(&base.parent), streams)?;
    let mut groups = base::gather(&name, &base, &arguments.sources, streams)?;
    base::check(&base, &groups, streams)?;
    let scratch = tempfile::tempdir().map_err(|source| Error::MakeScratch { source })?;
    let place = (&below, scratch.path());
    let python = base::fetch_packages(&name, &base, place, &session, streams)?;
    let (mut labels, mut environment) = (labels(&base), BTreeMap::new());
    if let Some(python) = python {
        labels.extend([python.label()]);
        environment.extend([python.variable()]);
        if python.group.jars.is_empty() {
            streams.note("python: the base has all that is asked for")?;
        } else {
            groups.insert(0, python.group);
        }
    }

    let (mut layers, mut files) = (Vec::new(), Vec::new());
    for (number, group) in groups.iter().enumerate() {
        let unpacked = scratch.path().join(format!("{number}.unpacked"));
        let builder = layer(group, &unpacked)?;
        let added = builder
            .files()
            .map(|(path, source)| Added { path: path.to_owned(), source: source.to_owned() });
        files.extend(added);
        let path = scratch.path().join(number.to_string());
        let line = || format!("packing {}", group.name);
        let written = builder.write(arguments.compression.into(), path);
        layers.push(session.run(line, written, streams)?);
    }
    let append = flumen_image::Append {
        base: &base.parent,
        target: &base.target,
        layers: &layers,
        labels: &labels,
        environment: &environment,
    };
    let pushed = push(&session, &append, &arguments.platform, streams)?;
    let sboms =
        if arguments.no_sbom { Vec::new() } else { attach(&session, &pushed, &files, streams)? };
    let built = Built { base: &base, below: &below, groups: &groups, layers: &layers };
    if streams.json {
        return streams.print_json(&built.json(&pushed, &sboms));
    }
    streams.print(&format!("{}\n", pushed.index.reference))?;
    built.note(&pushed, &sboms, streams)
}

/// The layer of a group; wheels are unpacked into a directory that is not there yet.
fn layer(group: &Group, unpacked: &Path) -> Result<LayerBuilder, Error> {
    let mut builder = LayerBuilder::new();
    if group.role == ArtifactRole::Wheel {
        base::unpack(group, unpacked)?;
        builder.add_tree(&group.directory, unpacked)?;
        return Ok(builder);
    }
    for jar in &group.jars {
        let path = format!("{}/{}", group.directory, jar.name);
        // Whatever the file's own mode: it must not make a difference between two machines.
        builder.add(&path, Content::File(jar.source.clone()), Attributes::mode(0o644))?;
    }
    Ok(builder)
}

fn labels(base: &Base) -> BTreeMap<String, String> {
    let mut labels = base.labels.clone();
    labels.entry(TITLE_LABEL.to_owned()).or_insert_with(|| base.name.clone());
    labels.insert(FLINK_VERSION_LABEL.to_owned(), base.flink_version.to_string());
    labels
}

/// What is said of an image.
struct Built<'a> {
    base: &'a Base,
    below: &'a Image,
    groups: &'a [Group],
    layers: &'a [Layer],
}

impl Built<'_> {
    fn note(
        &self,
        pushed: &PushedIndex,
        sboms: &[String],
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        for sbom in sboms {
            streams.note(&format!("The list of what was put in is {sbom}."))?;
        }
        for (group, layer) in self.groups.iter().zip(self.layers) {
            let count = group.jars.len();
            let word = if group.role == ArtifactRole::Wheel { "wheel" } else { "jar" };
            let ending = if count == 1 { "" } else { "s" };
            let size = megabytes(layer.size);
            streams.note(&format!("{}: {count} {word}{ending}, {size}", group.name))?;
        }
        let Base { parent, flink_version, .. } = self.base;
        let sent = megabytes(pushed.index.sent_bytes);
        streams.note(&format!("They lie on {parent}; {sent} were sent."))?;
        streams.note(&format!(
            "To have jobs stand on it: flumen version add {flink_version} --from-image {}",
            pushed.index.reference
        ))
    }

    fn json(&self, pushed: &PushedIndex, sboms: &[String]) -> Value {
        let layers = self.groups.iter().zip(self.layers).map(|(group, layer)| {
            let file = |jar: &base::Jar| {
                let maven = jar.maven.as_ref();
                json!({
                    "path": format!("{}/{}", group.directory, jar.name),
                    "maven": maven.map(|it| format!("{}:{}:{}", it.group, it.artifact, it.version)),
                })
            };
            json!({
                "group": group.name,
                "files": group.jars.iter().map(file).collect::<Vec<_>>(),
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
            "name": self.base.name,
            "flinkVersion": self.base.flink_version,
            "reference": pushed.index.reference.to_string(),
            "digest": pushed.index.digest,
            "tag": self.base.target.tag(),
            "base": self.base.parent.to_string(),
            "baseDigest": self.below.digest,
            "sentBytes": pushed.index.sent_bytes,
            "layers": layers.collect::<Vec<_>>(),
            "images": pushed.images.iter().map(image).collect::<Vec<_>>(),
            "sboms": sboms,
        })
    }
}
