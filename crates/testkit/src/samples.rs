use std::path::{Path, PathBuf};

use serde_json::Value;

/// The versions that answers were recorded from, oldest first.
pub const VERSIONS: [&str; 4] = ["1.13.6", "1.17.2", "1.20.5", "2.3.0"];

/// A recorded request and its answer.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The situation, for example `job-failed`.
    pub name: String,
    /// For example `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body of the request, if there was one.
    pub request_body: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer. A text where it was not JSON.
    pub body: Value,
}

impl Sample {
    /// The body of the answer as it came over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Value::String(text) => text.clone().into_bytes(),
            json => json.to_string().into_bytes(),
        }
    }
}

/// The answer in this situation.
pub fn sample(version: &str, name: &str) -> Sample {
    read(&directory(version).join(format!("{name}.json")))
}

/// All answers of a version, by name.
pub fn samples(version: &str) -> Vec<Sample> {
    let entries = std::fs::read_dir(directory(version)).expect("the version was recorded");
    let mut all: Vec<_> = entries.map(|entry| read(&entry.unwrap().path())).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn directory(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flink").join(version)
}

fn read(path: &Path) -> Sample {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("no recorded answer {}: {error}", path.display()));
    let mut json: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()));
    let (method, path_and_query) = json["request"].as_str().unwrap().split_once(' ').unwrap();
    Sample {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        method: method.to_owned(),
        path: path_and_query.to_owned(),
        request_body: json.get("request_body").cloned(),
        status: u16::try_from(json["status"].as_u64().unwrap()).unwrap(),
        body: json["body"].take(),
    }
}
