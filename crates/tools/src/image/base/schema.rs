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
            { "required": ["python"] },
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
            "python": python(),
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

fn python() -> Value {
    let text =
        |description: &str| json!({ "description": description, "type": "string", "minLength": 1 });
    json!({
        "description": "Packages of Python, with all that they need, for the Python of the base.",
        "type": "object",
        "additionalProperties": false,
        "anyOf": [{ "required": ["requirements"] }, { "required": ["requirementsFile"] }],
        "properties": {
            "requirements": {
                "description": "Requirements, as they are lines of a requirements.txt.",
                "type": "array",
                "items": { "type": "string", "minLength": 1 },
            },
            "requirementsFile": text("A file of requirements, relative to this file."),
            "interpreter": interpreter(),
        },
    })
}

fn interpreter() -> Value {
    let text = |description: &str, example: &str| json!({ "description": description, "type": "string", "minLength": 1, "examples": [example] });
    json!({
        "description": "The Python of the base, where the base does not say it.",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "machine", "glibc", "packages"],
        "properties": {
            "version": text("Its version.", "3.11.2"),
            "machine": text("The machine, as uname -m names it.", "x86_64"),
            "glibc": text("The version of the GNU C library.", "2.36"),
            "packages": {
                "description": "The packages that the base has, by their normalized names, with their versions; PyFlink is apache-flink.",
                "type": "object",
                "additionalProperties": { "type": "string" },
            },
        },
    })
}
