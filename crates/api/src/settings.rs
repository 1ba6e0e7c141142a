use std::path::PathBuf;

use flumen_model::ByteSize;

/// What the API needs to know besides the control.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The origin of the UI listener, such as `http://127.0.0.1:7601`.
    pub ui_origin: String,
    /// Where the server keeps its data, told to who asks for the version.
    pub data_directory: PathBuf,
    /// The largest artifact. Default: 4 GiB.
    pub artifact_limit: ByteSize,
}

impl Settings {
    /// The settings with their defaults.
    pub const fn new(ui_origin: String, data_directory: PathBuf) -> Self {
        Self { ui_origin, data_directory, artifact_limit: ByteSize::from_mebibytes(4096) }
    }
}
