//! Values that several files have.

use serde_json::{Value, json};

pub(super) fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

pub(super) fn label(description: &str) -> Value {
    let pattern = "^[a-z]([a-z0-9-]*[a-z0-9])?$";
    json!({ "description": description, "type": "string", "maxLength": 63, "pattern": pattern })
}

pub(super) fn object_name(description: &str) -> Value {
    let pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$";
    json!({ "description": description, "type": "string", "maxLength": 253, "pattern": pattern })
}
