//! The options that every request that writes may have, checked in one place.

use serde_json::{Value, json};

use super::Call;
use crate::failure::{Cause, Failure};

const LONGEST_MANAGER: usize = 128;

/// Checks the options of a request that creates, updates or patches.
pub(crate) fn check(call: &Call, verb: &str) -> Result<(), Failure> {
    let kind = match verb {
        "create" => "CreateOptions",
        "update" => "UpdateOptions",
        "patch" => "PatchOptions",
        _ => return Ok(()),
    };
    let mut causes = Vec::new();
    let applies = call.content_type() == "application/apply-patch+yaml";
    if kind == "PatchOptions" && !applies && call.query.text("force").is_some() {
        causes.push(Cause::forbidden("force", "may not be specified for non-apply patch"));
    }
    let manager = call.query.text("fieldManager").unwrap_or_default();
    if applies && manager.is_empty() {
        causes.push(Cause::required("fieldManager", "is required for apply patch"));
    }
    check_manager(manager, &mut causes);
    causes.extend(call.query.text("dryRun").and_then(|value| dry_run_cause(&json!([value]))));
    let validation = call.query.text("fieldValidation").unwrap_or_default();
    if !["", "Ignore", "Strict", "Warn"].contains(&validation) {
        let supported = ["", "Ignore", "Strict", "Warn"];
        causes.push(Cause::unsupported("fieldValidation", &validation.into(), &supported));
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid_kind("meta.k8s.io", kind, "", &causes))
    }
}

/// What is wrong with a list of values for `dryRun`.
pub(crate) fn dry_run_cause(values: &Value) -> Option<Cause> {
    let list = values.as_array().map(Vec::as_slice).unwrap_or_default();
    let good = list.iter().all(|value| value == "All");
    (!good).then(|| Cause::unsupported("dryRun", values, &["All"]))
}

fn check_manager(manager: &str, causes: &mut Vec<Cause>) {
    if manager.len() > LONGEST_MANAGER {
        causes.push(Cause::too_long("fieldManager", LONGEST_MANAGER));
    }
    for (position, character) in manager.chars().enumerate() {
        if character.is_control() {
            let code = u32::from(character);
            let detail = format!("invalid character U+{code:04X} (at position {position})");
            causes.push(Cause::invalid("fieldManager", &manager.into(), &detail));
        }
    }
}
