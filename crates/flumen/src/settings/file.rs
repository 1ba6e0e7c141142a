//! The settings file: one flat table.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::keys;

/// What the settings file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) values: BTreeMap<String, String>,
    pub(super) problems: Vec<String>,
}

/// Reads the file that was named, else the first one that there is in the usual places.
pub(super) fn load(named: Option<PathBuf>, usual: &[PathBuf]) -> File {
    if let Some(path) = named {
        return match std::fs::read_to_string(&path) {
            Ok(text) => parse(&path, &text),
            Err(error) => unreadable(&path, &error),
        };
    }
    for path in usual {
        match std::fs::read_to_string(path) {
            Ok(text) => return parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return unreadable(path, &error),
        }
    }
    File::default()
}

fn unreadable(path: &Path, error: &io::Error) -> File {
    let problem = format!("the settings file {} cannot be read: {error}", path.display());
    File { path: path.to_owned(), problems: vec![problem], ..File::default() }
}

fn parse(path: &Path, text: &str) -> File {
    let mut file = File { path: path.to_owned(), ..File::default() };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            file.problems.push(format!(
                "the settings file {} is not valid TOML: {}",
                path.display(),
                error.message()
            ));
            return file;
        }
    };
    for (key, value) in table {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            _ => {
                file.problems
                    .push(format!("{key} in {}: expected a text or a number", path.display()));
                continue;
            }
        };
        if keys::ALL.contains(&key.as_str()) {
            file.values.insert(key, text);
        } else {
            let known = keys::ALL.join(", ");
            file.problems
                .push(format!("{key} in {} is no setting; there are {known}", path.display()));
        }
    }
    file
}
