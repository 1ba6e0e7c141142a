use flumen_model::{Delivery, FetchFrom};
use serde_json::{Map, Value, json};

use super::values::{label, object_name, text};

/// The JSON schema (draft 2020-12) of the file of an environment.
pub(super) fn environment_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flumen environment",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "cluster", "namespace", "registry", "storage"],
        "properties": {
            "name": label("What jobs name it by."),
            "cluster": text("The cluster that its jobs run in."),
            "namespace": label("The Kubernetes namespace."),
            "registry": text("The registry's address and image prefix, as the cluster's nodes reach it: host:5000/flumen."),
            "storage": {
                "description": "Where checkpoints, savepoints and HA data lie.",
                "type": "object",
                "oneOf": [host_path(), file(), s3(), oss(), hdfs()],
            },
            "delivery": {
                "description": "How the files of its jobs get into their pods, where a job does not say it: in an image of their own, fetched by an init container, or fetched by Flink itself. Default: image.",
                "enum": Delivery::ALL.map(|(word, _)| word),
            },
            "fetchFrom": {
                "description": "From where init containers fetch these files: from the Flumen server, or from the storage by signed links, which takes kind s3 with credentials. Default: server.",
                "enum": FetchFrom::ALL.map(|(word, _)| word),
            },
            "configuration": {
                "description": "Flink configuration that every job here starts from.",
                "type": "object",
            },
        },
        "$defs": { "credentials": credentials(), "endpoint": endpoint() },
    })
}

/// Where in the storage everything lies; no part of the path is `.` or `..`.
fn place(description: &str, start: &str) -> Value {
    let part = r"(?!\.{1,2}(/|$))[A-Za-z0-9_.=+~-]+";
    json!({ "description": description, "type": "string", "pattern": format!("^{start}(/{part})*/?$") })
}

fn storage(kind: &str, required: &[&str], properties: &Value) -> Value {
    let mut all = Map::from_iter([("kind".to_owned(), json!({ "const": kind }))]);
    all.extend(properties.as_object().cloned().unwrap_or_default());
    let required: Vec<&str> = ["kind"].iter().chain(required).copied().collect();
    json!({ "additionalProperties": false, "required": required, "properties": all })
}

fn host_path() -> Value {
    storage(
        "hostPath",
        &["hostPath", "mountPath"],
        &json!({
            "hostPath": text("A directory of the node, which every pod mounts."),
            "mountPath": text("Where the pods see it."),
        }),
    )
}

fn file() -> Value {
    storage(
        "file",
        &["place"],
        &json!({
            "place": place("The directory as the pods see it: file:///mnt/flink.", "(file:(//)?)?"),
            "claim": object_name("The persistent volume claim that is mounted there. Default: none; image or pod templates bring the directory."),
        }),
    )
}

fn s3() -> Value {
    storage(
        "s3",
        &["place"],
        &json!({
            "place": place("Bucket and prefix: s3://flink/prod.", "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
            "endpoint": { "$ref": "#/$defs/endpoint" },
            "region": {
                "description": "The region that requests are signed for. Default: us-east-1.",
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{1,63}$",
            },
            "pathStyleAccess": {
                "description": "Whether the bucket stands in the path of an address rather than in its host name. Default: false.",
                "type": "boolean",
            },
            "plugin": {
                "description": "Flink's plugin that reads it: presto, which Flink recommends for checkpoints, or hadoop, which a job needs that writes its results to S3 with Flink's file sink. Default: presto.",
                "enum": ["presto", "hadoop"],
            },
            "credentials": { "$ref": "#/$defs/credentials" },
            "serverEndpoint": { "$ref": "#/$defs/endpoint" },
            "readable": {
                "description": "Whether Flumen looks into it; false where the server's machine cannot reach it. Default: true.",
                "type": "boolean",
            },
        }),
    )
}

fn oss() -> Value {
    storage(
        "oss",
        &["place", "endpoint", "credentials"],
        &json!({
            "place": place("Bucket and prefix: oss://flink/prod.", "oss://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
            "endpoint": { "$ref": "#/$defs/endpoint" },
            "credentials": { "$ref": "#/$defs/credentials" },
        }),
    )
}

fn hdfs() -> Value {
    storage(
        "hdfs",
        &["place"],
        &json!({
            "place": place("Name node or name service, and directory: hdfs://namenode:8020/flink.", "hdfs://[A-Za-z0-9._-]*(:[0-9]+)?"),
            "hadoopConfigMap": object_name("The ConfigMap with Hadoop's configuration files. Default: none; the image brings them."),
        }),
    )
}

fn endpoint() -> Value {
    json!({
        "description": "The address of the server: https://minio.example.com:9000. Default: that of Amazon in the region; of serverEndpoint, which is for the server's machine, the endpoint.",
        "type": "string",
        "pattern": "^https?://[^/@?#]+$",
    })
}

fn credentials() -> Value {
    let entry = |description: &str| json!({ "description": description, "type": "string", "pattern": "^[A-Za-z0-9._-]+$" });
    json!({
        "description": "The keys. Default: none; the pods get theirs from the cluster, and Flumen does not look into the storage.",
        "type": "object",
        "oneOf": [
            {
                "additionalProperties": false,
                "required": ["secret"],
                "properties": {
                    "secret": object_name("A Secret in the namespace that has them."),
                    "accessKeyEntry": entry("Its entry with the access key. Default: access-key."),
                    "secretKeyEntry": entry("Its entry with the secret key. Default: secret-key."),
                },
            },
            {
                "additionalProperties": false,
                "required": ["accessKey", "secretKey"],
                "properties": {
                    "accessKey": text("The access key itself, which Flumen puts into a Secret of the namespace."),
                    "secretKey": text("The secret key itself, which Flumen puts into a Secret of the namespace."),
                },
            },
        ],
    })
}
