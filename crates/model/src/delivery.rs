use std::fmt;

use serde::{Deserialize, Serialize};

/// How the files of a job get into its pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// In an image of the job's own: the base image with the files on top.
    #[default]
    Image,
    /// Into pods of the base image: an init container fetches them before Flink starts, and checks their digests.
    InitContainer,
}

impl Delivery {
    /// All of them, with the words for them.
    pub const ALL: [(&'static str, Self); 2] =
        [("image", Self::Image), ("init-container", Self::InitContainer)];

    /// The word, as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::InitContainer => "init-container",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
