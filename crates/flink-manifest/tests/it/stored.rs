//! Objects as the recorder keeps them: with the server's uid and the configuration file read back.

use serde_json::{Map, Value, json};

use flumen_flink_manifest::Manifests;

/// The rendered objects in the recordings' form.
pub(crate) fn stored(manifests: Manifests) -> Vec<Value> {
    let uid = format!("uid-deployments-{}", manifests.names.cluster_id());
    manifests.with_owner(&uid).objects().into_iter().map(comparable).collect()
}

fn comparable(mut object: Value) -> Value {
    if object["kind"] != "ConfigMap" {
        return object;
    }
    let Some(Value::Object(mut data)) = object.as_object_mut().and_then(|map| map.remove("data"))
    else {
        return object;
    };
    let read = |name: &str, data: &mut Map<String, Value>| {
        data.remove(name).map(|text| text.as_str().expect("a text").to_owned())
    };
    if let Some(text) = read("flink-conf.yaml", &mut data) {
        object["configFile"] = "flink-conf.yaml".into();
        object["flinkConfig"] = legacy(&text);
    } else if let Some(text) = read("config.yaml", &mut data) {
        object["configFile"] = "config.yaml".into();
        object["flinkConfig"] = standard(&text);
    } else {
        object["data"] = Value::Object(data);
        return object;
    }
    object["otherFiles"] = json!(data.keys().collect::<Vec<_>>());
    object
}

fn legacy(text: &str) -> Value {
    let mut entries = Map::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some((key, value)) = line.split_once(": ") {
            entries.insert(key.trim().to_owned(), value.into());
        } else if let Some(key) = line.trim_end().strip_suffix(':') {
            entries.insert(key.to_owned(), "".into());
        }
    }
    Value::Object(entries)
}

fn standard(text: &str) -> Value {
    let tree: Value = serde_saphyr::from_str(text).expect("a YAML document");
    let mut entries = Map::new();
    flatten("", &tree, &mut entries);
    Value::Object(entries)
}

fn flatten(prefix: &str, value: &Value, entries: &mut Map<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&full, value, entries);
            }
        }
        value => {
            entries.insert(prefix.to_owned(), value.clone());
        }
    }
}
