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
    /// Into the JobManager of the base image: Flink itself fetches jars from the storage of the environment. It compares no
    /// digest.
    Flink,
}

impl Delivery {
    /// All of them, with the words for them.
    pub const ALL: [(&'static str, Self); 3] =
        [("image", Self::Image), ("init-container", Self::InitContainer), ("flink", Self::Flink)];

    /// The word, as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::InitContainer => "init-container",
            Self::Flink => "flink",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// From where init containers fetch the files of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchFrom {
    /// From the Flumen server, which pods must reach.
    #[default]
    Server,
    /// From the storage of the environment, by links that the server signs with its keys.
    Storage,
}

impl FetchFrom {
    /// All of them, with the words for them.
    pub const ALL: [(&'static str, Self); 2] =
        [("server", Self::Server), ("storage", Self::Storage)];

    /// The word, as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for FetchFrom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
