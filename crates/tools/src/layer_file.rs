//! Layers that are not in a job file, each from a file.

use std::{path::PathBuf, str::FromStr};

use flumen_flink_conf::{ConfigurationFormat, Layer, Layers, parse_configuration_file};
use flumen_model::FlinkVersion;

use crate::{Error, Streams, offline::load};

/// Layers below the job's, by their names on the command line.
const LAYERS: [(&str, Layer); 5] = [
    ("flink-version", Layer::FlinkVersion),
    ("platform", Layer::Platform),
    ("cluster", Layer::Cluster),
    ("environment", Layer::Environment),
    ("team", Layer::Team),
];

/// `LAYER=FILE`.
#[derive(Debug, Clone)]
pub struct LayerFile {
    pub(crate) layer: Layer,
    file: PathBuf,
}

impl FromStr for LayerFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = || {
            let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
            format!("expected LAYER=FILE with one of the layers {}", names.join(", "))
        };
        let (name, file) = text.split_once('=').ok_or_else(allowed)?;
        let (_, layer) = LAYERS.iter().find(|(known, _)| *known == name).ok_or_else(allowed)?;
        if file.is_empty() {
            return Err(allowed());
        }
        Ok(Self { layer: *layer, file: file.into() })
    }
}

impl LayerFile {
    /// Adds what the file holds, which is read as the Flink version reads its own file of that name.
    pub(crate) fn add(
        &self,
        layers: &mut Layers,
        version: FlinkVersion,
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        let (name, text) = load(&self.file)?;
        let legacy = ConfigurationFormat::Legacy;
        let is_legacy = self.file.file_name().is_some_and(|it| it == legacy.file_name());
        let format = if is_legacy { legacy } else { ConfigurationFormat::Standard };
        let parsed = parse_configuration_file(&text, version.minor(), format)
            .map_err(|source| Error::ReadLayer { file: name.clone(), source })?;
        for skipped in &parsed.skipped {
            let line = skipped.line;
            streams.note(&format!("warning: {name}, line {line} is skipped: {}", skipped.why))?;
        }
        let entries = parsed.configuration.iter();
        layers.add(self.layer, entries.map(|(key, value)| (key, value.clone())));
        Ok(())
    }
}
