//! What is asked of a job, from the API's words to the control's. What contradicts itself is refused.

use flumen_api_types as api;
use flumen_control as control;
use flumen_model::{InvalidValue, RestoreMode, UpgradeMode};

pub(crate) fn start(order: api::StartJob) -> Result<control::StartOrder, InvalidValue> {
    let from = order.from.map(source);
    if from == Some(control::StartSource::Nothing) {
        check_empty(order.allow_non_restored_state, order.restore_mode)?;
    }
    Ok(control::StartOrder {
        from,
        allow_non_restored_state: order.allow_non_restored_state,
        restore_mode: order.restore_mode,
    })
}

pub(crate) fn stop(order: api::StopJob) -> control::SavepointOrder {
    control::SavepointOrder {
        directory: order.savepoint_path,
        format: order.format,
        drain: order.drain,
    }
}

pub(crate) fn savepoint(order: api::TakeSavepoint) -> control::SavepointOrder {
    control::SavepointOrder { directory: order.savepoint_path, format: order.format, drain: false }
}

pub(crate) fn restart(order: api::RestartJob) -> Result<control::RestartOrder, InvalidValue> {
    check_mode(&order)?;
    let start = api::StartJob {
        from: order.from,
        allow_non_restored_state: order.allow_non_restored_state,
        restore_mode: order.restore_mode,
    };
    let savepoint = control::SavepointOrder {
        directory: order.savepoint_path,
        format: order.format,
        drain: false,
    };
    Ok(control::RestartOrder { mode: order.mode, start: self::start(start)?, savepoint })
}

fn check_mode(order: &api::RestartJob) -> Result<(), InvalidValue> {
    if order.mode == Some(UpgradeMode::Stateless) {
        if let Some(from) = order.from.as_ref().filter(|from| **from != api::StartSource::Nothing) {
            let allowed = "mode stateless starts with empty state; leave one of the two out";
            return Err(InvalidValue::new("from", from.to_string(), allowed));
        }
        check_empty(order.allow_non_restored_state, order.restore_mode)?;
    }
    let takes_none = match order.mode {
        Some(UpgradeMode::Stateful) => false,
        Some(UpgradeMode::LastState | UpgradeMode::Stateless) => true,
        None => order.from.is_some(),
    };
    let needless =
        "no savepoint is taken before this restart; leave it out, or ask for mode stateful";
    match (&order.savepoint_path, order.format) {
        (Some(path), _) if takes_none => Err(InvalidValue::new("savepointPath", path, needless)),
        (None, Some(format)) if takes_none => {
            Err(InvalidValue::new("format", word(&format), needless))
        }
        _ => Ok(()),
    }
}

/// Refuses what is said about a snapshot where a job starts from none.
fn check_empty(allows: bool, mode: Option<RestoreMode>) -> Result<(), InvalidValue> {
    let allowed = "a start with empty state restores no snapshot; leave it out";
    match mode {
        Some(mode) => Err(InvalidValue::new("restoreMode", word(&mode), allowed)),
        None if allows => Err(InvalidValue::new("allowNonRestoredState", "true", allowed)),
        None => Ok(()),
    }
}

fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn source(source: api::StartSource) -> control::StartSource {
    match source {
        api::StartSource::Nothing => control::StartSource::Nothing,
        api::StartSource::Latest => control::StartSource::Latest,
        api::StartSource::Snapshot(id) => control::StartSource::Snapshot(id),
        api::StartSource::Path(path) => control::StartSource::Path(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        let order = serde_json::from_str(text).expect("a request");
        restart(order).err().map(|error| error.to_string())
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        for (text, name) in [
            (r#"{"mode":"stateless","from":"latest"}"#, "from"),
            (r#"{"mode":"stateless","restoreMode":"claim"}"#, "restoreMode"),
            (r#"{"from":"nothing","restoreMode":"no-claim"}"#, "restoreMode"),
            (r#"{"from":"nothing","allowNonRestoredState":true}"#, "allowNonRestoredState"),
            (r#"{"mode":"last-state","savepointPath":"/s"}"#, "savepointPath"),
            (r#"{"from":"/s/1","format":"native"}"#, "format"),
        ] {
            let error = refused(text).expect(text);
            assert!(error.starts_with(name), "{text}: {error}");
        }
        for text in [
            "{}",
            r#"{"mode":"stateful","from":"nothing","savepointPath":"/s","format":"native"}"#,
            r#"{"mode":"stateless","from":"nothing"}"#,
            r#"{"from":"latest","restoreMode":"claim","allowNonRestoredState":true}"#,
            r#"{"savepointPath":"/s"}"#,
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }
}
