use serde_json::{Value, json};

/// The JSON schema (draft 2020-12) of the file of a base image.
pub(crate) fn base_schema() -> Value {
    let text =
        |description: &str| json!({ "description": description, "type": "string", "minLength": 1 });
    let items = |description: &str| json!({ "description": description, "type": "array", "items": { "$ref": "#/$defs/item" } });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flumen base image",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "flinkVersion", "base", "target"],
        "anyOf": [
            { "required": ["connectors"] }, { "required": ["udfs"] }, { "required": ["plugins"] },
        ],
        "properties": {
            "name": text("What people call it; the title of the image."),
            "flinkVersion": {
                "description": "The Flink version that is in the base.",
                "type": "string",
                "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$",
            },
            "base": text("The image that it stands on, by tag or by digest."),
            "target": text("Where it is pushed to: REGISTRY/REPOSITORY:TAG."),
            "connectors": items("Jars for /opt/flink/lib, which Flink loads itself."),
            "udfs": items("Jars for /opt/flink/usrlib, which the class loader of a job loads."),
            "plugins": {
                "description": "Folders below /opt/flink/plugins, each with a class loader of its own.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*$" },
                "additionalProperties": { "type": "array", "items": { "$ref": "#/$defs/item" } },
            },
            "labels": {
                "description": "Labels to set beside those that Flumen sets.",
                "type": "object",
                "additionalProperties": { "type": "string" },
            },
        },
        "$defs": {
            "item": {
                "oneOf": [
                    {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["maven"],
                        "properties": {
                            "maven": text("GROUP:ARTIFACT:VERSION; what it depends on comes too, but for what Flink brings."),
                            "exclude": {
                                "description": "GROUP:ARTIFACT to leave out below it; either part may be *.",
                                "type": "array",
                                "items": { "type": "string" },
                            },
                        },
                    },
                    {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["path"],
                        "properties": {
                            "path": text("A jar, relative to this file."),
                            "sha256": {
                                "description": "What it must be, in hex.",
                                "type": "string",
                                "pattern": "^[0-9a-f]{64}$",
                            },
                        },
                    },
                ],
            },
        },
    })
}
