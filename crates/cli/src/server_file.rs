use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use url::Url;

/// What a running server writes into its data directory, so that commands on the same machine find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerFile {
    /// Where the API is.
    pub url: Url,
    /// The origin of Flink's web UI.
    pub ui_url: Url,
    /// The server's process.
    pub pid: u32,
}

impl ServerFile {
    /// Where the file lies.
    pub fn path(data_directory: &Path) -> PathBuf {
        data_directory.join("server.json")
    }

    /// Where the API token of the first start lies.
    pub fn token_path(data_directory: &Path) -> PathBuf {
        data_directory.join("token")
    }

    /// Reads the file; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read or is not what a server writes.
    pub fn load(data_directory: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(Self::path(data_directory)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file so that a reader sees the old or the new one, never half of it.
    ///
    /// # Errors
    /// The data directory cannot be written.
    pub fn save(&self, data_directory: &Path) -> io::Result<()> {
        let path = Self::path(data_directory);
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(draft, path)
    }
}
