use flumen_model::FlinkMinor;

use crate::{feature, write::legacy};

/// Which of Flink's two configuration files is read and written, which also decides how lists and
/// maps are written inside a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigurationFormat {
    /// `flink-conf.yaml`: one `key: value` a line, nothing quoted. Up to 1.20.
    Legacy,
    /// `config.yaml`: a YAML 1.2 document. From 1.19 on.
    Standard,
}

impl ConfigurationFormat {
    /// What a Flink of this minor uses when nobody chose: standard from 1.19 on.
    pub fn of(minor: FlinkMinor) -> Self {
        if feature::STANDARD_FILE.is_in(minor) { Self::Standard } else { Self::Legacy }
    }

    /// Whether a Flink of this minor reads this format. 1.19 and 1.20 read both.
    pub fn is_read_by(self, minor: FlinkMinor) -> bool {
        match self {
            Self::Legacy => feature::LEGACY_FILE.is_in(minor),
            Self::Standard => feature::STANDARD_FILE.is_in(minor),
        }
    }

    /// What a Flink that reads this format's file does to a text that no quotes can save, as a sentence;
    /// `None` if it reads all of it. The standard format carries every text.
    pub fn cuts(self, text: &str) -> Option<&'static str> {
        match self {
            Self::Standard => None,
            Self::Legacy => legacy::what_is_cut("key", text),
        }
    }

    /// The name of the file in Flink's configuration folder.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Legacy => "flink-conf.yaml",
            Self::Standard => "config.yaml",
        }
    }
}
