//! Configuration as it is shown: without the values that Flink itself hides. What is stored keeps them, and ids do not
//! change by it.

use std::collections::BTreeMap;

use flumen_flink_conf::{HIDDEN, is_sensitive};
use flumen_model::{ConfigurationValue, JobSpec};
use serde_json::{Map, Value};

use crate::Error;

const CONFIGURATION: &str = "configuration";

/// Configuration as it may be shown.
pub fn shown_configuration(
    configuration: BTreeMap<String, ConfigurationValue>,
) -> BTreeMap<String, ConfigurationValue> {
    let one = |(key, value): (String, ConfigurationValue)| {
        let value = shown(&key, value);
        (key, value)
    };
    configuration.into_iter().map(one).collect()
}

/// A job file as it may be shown.
pub fn shown_spec(spec: JobSpec) -> JobSpec {
    JobSpec { configuration: shown_configuration(spec.configuration), ..spec }
}

/// The job file of a release as it may be shown.
pub fn shown_job(mut job: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(configuration)) = job.get_mut(CONFIGURATION) {
        hide("", configuration);
    }
    job
}

fn shown(key: &str, value: ConfigurationValue) -> ConfigurationValue {
    match value {
        _ if is_sensitive(key) => ConfigurationValue::Text(HIDDEN.to_owned()),
        ConfigurationValue::Map(map) => {
            let one = |(name, value): (String, ConfigurationValue)| {
                let value = shown(&format!("{key}.{name}"), value);
                (name, value)
            };
            ConfigurationValue::Map(map.into_iter().map(one).collect())
        }
        ConfigurationValue::List(items) => {
            ConfigurationValue::List(items.into_iter().map(|item| shown(key, item)).collect())
        }
        other => other,
    }
}

fn hide(parent: &str, configuration: &mut Map<String, Value>) {
    for (key, value) in configuration {
        let key = if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") };
        match value {
            _ if is_sensitive(&key) => *value = Value::from(HIDDEN),
            Value::Object(map) => hide(&key, map),
            Value::Array(items) => {
                let maps = items.iter_mut().filter_map(Value::as_object_mut);
                maps.for_each(|map| hide(&key, map));
            }
            _ => {}
        }
    }
}

/// Refuses what is shown in the place of a secret: a file that was made of what is shown would lose it.
///
/// # Errors
/// [`Error::Invalid`] with the key.
pub(crate) fn check_not_hidden(
    configuration: &BTreeMap<String, ConfigurationValue>,
) -> Result<(), Error> {
    let is_hidden = |(key, value): &(&String, &ConfigurationValue)| {
        is_sensitive(key) && matches!(value, ConfigurationValue::Text(text) if text == HIDDEN)
    };
    match configuration.iter().find(is_hidden) {
        None => Ok(()),
        Some((key, _)) => Err(Error::Invalid {
            message: format!(
                "{key} in the configuration is {HIDDEN}, which is what Flumen shows in the place of a secret; write the value itself"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(text: &str) -> BTreeMap<String, ConfigurationValue> {
        serde_json::from_str(text).expect("a configuration")
    }

    #[test]
    fn secrets_are_hidden_at_any_depth_and_the_rest_is_as_it_was() {
        let text = r#"{"rest.port":1,"s3.secret-key":"hunter2","a":{"b":{"password":7},"c":"d"},"x.token":["hunter2"],
            "l":[{"api-key":"hunter2"},"e"]}"#;
        let typed = serde_json::to_value(shown_configuration(configuration(text))).expect("JSON");
        let release = serde_json::from_str(&format!(r#"{{"name":"a","configuration":{text}}}"#));
        let release = shown_job(release.expect("a map"));
        assert_eq!(release["configuration"], typed);
        let expected = serde_json::json!({
            "rest.port": 1, "s3.secret-key": "******", "a": {"b": {"password": "******"}, "c": "d"},
            "x.token": "******", "l": [{"api-key": "******"}, "e"],
        });
        assert_eq!(typed, expected);
    }

    #[test]
    fn what_stands_for_a_secret_is_none() {
        let error = check_not_hidden(&configuration(r#"{"s3.secret-key":"******"}"#));
        let text = error.expect_err("it would lose the secret").to_string();
        assert!(text.starts_with("s3.secret-key in the configuration is ******"), "{text}");
        assert!(check_not_hidden(&configuration(r#"{"rest.port":"******"}"#)).is_ok());
    }
}
