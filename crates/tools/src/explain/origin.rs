//! Each effective key with where its value comes from.

use flumen_flink_conf::{Catalogue, Configuration, Effective, FlinkOption, Match, shown_value};
use serde::Serialize;

use crate::offline::Planned;

/// What Flink's client writes whatever the layers say.
const CLIENT: &str = "Flink's client";
const DEFAULT: &str = "Flink's default";
const UNSET: &str = "not set";

/// One option and its value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// A layer, Flink's client or Flink's default.
    pub(crate) origin: String,
    /// What lower layers had set, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) overridden: Vec<Overridden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) option: Option<Facts>,
}

/// A value that does not count.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overridden {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) origin: String,
}

/// What this Flink knows of the option.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    pub(crate) key: &'static str,
    #[serde(rename = "type")]
    pub(crate) value_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) other_keys: Vec<&'static str>,
}

/// Everything that the JobManager is given, by key.
pub(crate) fn all(job: &Planned) -> Vec<Explained> {
    let shipped = &job.manifests.configuration;
    let mut options: Vec<_> = shipped.iter().map(|(key, _)| set(job, shipped, key)).collect();
    options.sort_by(|one, other| one.key.cmp(&other.key));
    options
}

/// One key, whether it is set or not; `None` if nobody knows it.
pub(crate) fn one(job: &Planned, key: &str) -> Option<Explained> {
    let shipped = &job.manifests.configuration;
    let option = Catalogue::of(job.spec.flink_version.minor()).find(key).map(Match::option);
    let found = shipped
        .entry_of(key)
        .or_else(|| option.and_then(|option| shipped.entry_of(option.key)))
        .map(|(found, _)| found);
    let mut explained = match (found, option) {
        (Some(found), _) => set(job, shipped, found),
        (None, Some(option)) => unset(key, option),
        (None, None) => return None,
    };
    explained.option = option.map(facts);
    Some(explained)
}

fn set(job: &Planned, shipped: &Configuration, key: &str) -> Explained {
    let value = shipped.get(key).map(|value| value.to_text(shipped.format()).into_owned());
    let text = value.clone().unwrap_or_default();
    let (origin, overridden) = origin(&job.plan.effective, shipped, key, &text);
    Explained {
        key: key.to_owned(),
        value: value.map(|value| shown_value(key, &value)),
        origin,
        overridden,
        option: None,
    }
}

/// A value that is not the layers' is the client's.
fn origin(
    effective: &Effective,
    shipped: &Configuration,
    key: &str,
    text: &str,
) -> (String, Vec<Overridden>) {
    let Some(entry) = effective.iter().find(|entry| entry.key == key) else {
        return (CLIENT.to_owned(), Vec::new());
    };
    let older = |key: &str, value: &flumen_flink_conf::Value, origin: String| Overridden {
        key: key.to_owned(),
        value: shown_value(key, &value.to_text(shipped.format())),
        origin,
    };
    let below = entry.overridden.iter().rev();
    let mut overridden: Vec<_> =
        below.map(|it| older(&it.key, &it.value, it.layer.to_string())).collect();
    if entry.value.to_text(shipped.format()) == text {
        return (entry.layer.to_string(), overridden);
    }
    overridden.insert(0, older(&entry.key, &entry.value, entry.layer.to_string()));
    (CLIENT.to_owned(), overridden)
}

fn unset(key: &str, option: &'static FlinkOption) -> Explained {
    let origin = if option.default.is_some() { DEFAULT } else { UNSET };
    Explained {
        key: key.to_owned(),
        value: option.default.map(str::to_owned),
        origin: origin.to_owned(),
        overridden: Vec::new(),
        option: None,
    }
}

fn facts(option: &'static FlinkOption) -> Facts {
    Facts {
        key: option.key,
        value_type: format!("{:?}", option.value_type).to_lowercase(),
        default: option.default,
        words: option.words.clone(),
        other_keys: option.aliases().collect(),
    }
}
