//! Reasons why an object is invalid.

use std::fmt;

use serde_json::Value;

/// One reason why an object is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(super) reason: &'static str,
    pub(super) field: String,
    pub(super) message: String,
}

impl Cause {
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::new("FieldValueRequired", field, "Required value", detail)
    }

    pub(crate) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::new("FieldValueInvalid", field, &format!("Invalid value: {value}"), detail)
    }

    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::new("FieldValueForbidden", field, "Forbidden", detail)
    }

    pub(crate) fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self::new("FieldValueDuplicate", field, &format!("Duplicate value: {value}"), "")
    }

    pub(crate) fn duplicate_because(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::new("FieldValueDuplicate", field, &format!("Duplicate value: {value}"), detail)
    }

    pub(crate) fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self::new("FieldValueNotFound", field, &format!("Not found: {value}"), "")
    }

    pub(crate) fn too_long(field: impl Into<String>, limit: usize) -> Self {
        Self::new(
            "FieldValueTooLong",
            field,
            "Too long",
            &format!("may not be more than {limit} bytes"),
        )
    }

    pub(crate) fn too_many(field: impl Into<String>, count: usize, most: usize) -> Self {
        let detail = format!("must have at most {most} items");
        Self::new("FieldValueTooMany", field, &format!("Too many: {count}"), &detail)
    }

    pub(crate) fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let list: Vec<String> = supported.iter().map(|value| format!("\"{value}\"")).collect();
        Self::new(
            "FieldValueNotSupported",
            field,
            &format!("Unsupported value: {value}"),
            &format!("supported values: {}", list.join(", ")),
        )
    }

    fn new(reason: &'static str, field: impl Into<String>, text: &str, detail: &str) -> Self {
        let message = if detail.is_empty() { text.to_owned() } else { format!("{text}: {detail}") };
        Self { reason, field: field.into(), message }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}
