//! Which files a volume has. Pure: the objects are fetched before.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, Pod};

use crate::environment::{Facts, field, resource};

/// Why the content of a volume cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{kind} {name:?} not found")]
    NotFound { kind: &'static str, name: String },
    #[error("{kind} references non-existent config key: {key}")]
    NoKey { kind: &'static str, key: String },
    #[error("the path {0:?} must be relative and must not contain \"..\"")]
    Path(String),
    #[error("{0:?} is not a field that a file can have")]
    Field(String),
}

/// A file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
}

/// Mode of a file when neither it nor its volume says otherwise.
pub(super) const USUAL_MODE: i32 = 0o644;

/// Whether a path stays below where it starts.
pub(super) fn is_inside(path: &Path) -> bool {
    path.components().next().is_some()
        && path
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
}

fn file(
    path: &str,
    mode: Option<i32>,
    usual: Option<i32>,
    content: Vec<u8>,
) -> Result<File, Error> {
    if !is_inside(Path::new(path)) {
        return Err(Error::Path(path.to_owned()));
    }
    let mode = mode.or(usual).unwrap_or(USUAL_MODE);
    Ok(File { path: path.to_owned(), mode: mode.cast_unsigned() & 0o777, content })
}

/// What a volume takes from a `ConfigMap` or `Secret`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) items: Option<&'a [KeyToPath]>,
    pub(super) mode: Option<i32>,
    pub(super) optional: bool,
}

/// The files for the chosen keys of an object; `None` is an object that does not exist.
pub(super) fn keys(
    selection: Selection<'_>,
    values: Option<BTreeMap<String, Vec<u8>>>,
) -> Result<Vec<File>, Error> {
    let Selection { kind, name, items, mode, optional } = selection;
    let Some(values) = values else {
        return if optional {
            Ok(Vec::new())
        } else {
            Err(Error::NotFound { kind, name: name.to_owned() })
        };
    };
    let Some(items) = items else {
        return values.into_iter().map(|(key, value)| file(&key, None, mode, value)).collect();
    };
    let chosen = items.iter().filter_map(|item| match values.get(&item.key) {
        Some(value) => Some(file(&item.path, item.mode, mode, value.clone())),
        None if optional => None,
        None => Some(Err(Error::NoKey { kind, key: item.key.clone() })),
    });
    chosen.collect()
}

/// The files of a downward API volume.
pub(super) fn downward(
    pod: &Pod,
    items: &[DownwardAPIVolumeFile],
    usual: Option<i32>,
    facts: &Facts,
) -> Result<Vec<File>, Error> {
    items
        .iter()
        .map(|item| {
            let (path, value) = match (&item.field_ref, &item.resource_field_ref) {
                (Some(reference), _) => {
                    (&reference.field_path, field(pod, &reference.field_path, facts))
                }
                (None, Some(reference)) => {
                    (&reference.resource, resource(pod, None, reference, facts))
                }
                (None, None) => (&item.path, None),
            };
            let value = value.ok_or_else(|| Error::Field(path.clone()))?;
            file(&item.path, item.mode, usual, value.into_bytes())
        })
        .collect()
}

/// The file that holds a token.
pub(super) fn token(path: &str, mode: Option<i32>, token: String) -> Result<File, Error> {
    file(path, None, mode, token.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(items: Option<&[KeyToPath]>, optional: bool) -> Selection<'_> {
        Selection { kind: "configmap", name: "settings", items, mode: Some(0o400), optional }
    }

    fn values() -> BTreeMap<String, Vec<u8>> {
        [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())].into()
    }

    fn item(key: &str, path: &str, mode: Option<i32>) -> KeyToPath {
        KeyToPath { key: key.into(), path: path.into(), mode }
    }

    #[test]
    fn all_keys_or_the_chosen_ones_become_files() {
        let described = |files: Vec<File>| -> Vec<(String, u32)> {
            files.into_iter().map(|file| (file.path, file.mode)).collect()
        };
        assert_eq!(
            described(keys(select(None, false), Some(values())).unwrap()),
            [("a".to_owned(), 0o400), ("b".to_owned(), 0o400)]
        );
        let items = [item("b", "deep/file", Some(0o755))];
        assert_eq!(
            described(keys(select(Some(&items), false), Some(values())).unwrap()),
            [("deep/file".to_owned(), 0o755)]
        );
    }

    #[test]
    fn what_is_missing_is_an_error_unless_it_is_optional() {
        let message = |error: Error| error.to_string();
        assert_eq!(
            message(keys(select(None, false), None).unwrap_err()),
            "configmap \"settings\" not found"
        );
        assert_eq!(keys(select(None, true), None), Ok(vec![]));
        let items = [item("c", "c", None)];
        assert_eq!(
            message(keys(select(Some(&items), false), Some(values())).unwrap_err()),
            "configmap references non-existent config key: c"
        );
        assert_eq!(keys(select(Some(&items), true), Some(values())), Ok(vec![]));
    }

    #[test]
    fn files_stay_inside_the_volume() {
        for path in ["../x", "/x", "a/../../x", ""] {
            let items = [item("a", path, None)];
            assert_eq!(
                keys(select(Some(&items), false), Some(values())),
                Err(Error::Path(path.into())),
                "{path}"
            );
        }
    }
}
