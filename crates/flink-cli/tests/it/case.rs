//! A run of a real client, as it is recorded beside the crate that renders.

use std::collections::BTreeMap;

use flumen_model::FlinkVersion;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) version: FlinkVersion,
    pub(crate) mode: String,
    pub(crate) args: Vec<String>,
    pub(crate) conf: BTreeMap<String, String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) refused: bool,
    pub(crate) error: Option<String>,
    pub(crate) objects: Vec<serde_json::Value>,
}

/// What is asked of the drop-in where the real client did what is recorded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    SameObjects,
    Refusal,
    /// The real client fails on keys of which one is the prefix of another.
    Acceptance,
}

impl Case {
    pub(crate) fn expected(&self) -> Expected {
        let fault = self.error.as_deref().is_some_and(|it| it.contains("ClassCastException"));
        match (fault, self.refused) {
            (true, _) => Expected::Acceptance,
            (false, true) => Expected::Refusal,
            (false, false) => Expected::SameObjects,
        }
    }

    /// What the user gave: the lines of the file, then `-D`.
    pub(crate) fn given(&self) -> BTreeMap<String, String> {
        let mut given = self.conf.clone();
        let dynamic = self.args.iter().filter_map(|arg| arg.strip_prefix("-D")?.split_once('='));
        given.extend(dynamic.map(|(key, value)| (key.to_owned(), value.to_owned())));
        given
    }
}
