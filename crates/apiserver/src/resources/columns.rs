//! The columns that `kubectl get` prints for each kind.

use jiff::Timestamp;
use serde_json::Value;

use crate::clock;

mod node;
mod pod;
mod quota;
mod rbac;
mod service;
mod storage;
mod workload;

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// `string`, `integer` or `date`.
    pub(crate) kind: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub(crate) priority: u8,
    pub(crate) cell: fn(&Value) -> Value,
}

const fn text(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column { name, kind: "string", priority: 0, cell }
}

const fn number(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column { name, kind: "integer", priority: 0, cell }
}

const fn wide(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column { name, kind: "string", priority: 1, cell }
}

const NAME: Column = text("Name", |object| string(object, "/metadata/name").into());
const AGE: Column =
    text("Age", |object| since(string(object, "/metadata/creationTimestamp")).into());

pub(super) const LEASE: &[Column] =
    &[NAME, text("Holder", |object| string(object, "/spec/holderIdentity").into()), AGE];
pub(super) const NAMESPACE: &[Column] =
    &[NAME, text("Status", |object| string(object, "/status/phase").into()), AGE];
pub(super) const CONFIG_MAP: &[Column] = &[
    NAME,
    text("Data", |object| (count(object, "/data") + count(object, "/binaryData")).into()),
    AGE,
];
pub(super) const SECRET: &[Column] = &[
    NAME,
    text("Type", |object| string(object, "/type").into()),
    text("Data", |object| count(object, "/data").into()),
    AGE,
];
pub(super) const SERVICE_ACCOUNT: &[Column] =
    &[NAME, text("Secrets", |object| list(object, "/secrets").count().into()), AGE];
pub(super) const EVENT: &[Column] = &[
    text("Last Seen", |event| since(last_seen(event)).into()),
    text("Type", |event| string(event, "/type").into()),
    text("Reason", |event| string(event, "/reason").into()),
    text("Object", |event| {
        let kind = string(event, "/involvedObject/kind").to_lowercase();
        format!("{kind}/{}", string(event, "/involvedObject/name")).into()
    }),
    wide("Subobject", |event| string(event, "/involvedObject/fieldPath").into()),
    wide("Source", |event| event_source(event).into()),
    text("Message", |event| string(event, "/message").trim().into()),
    wide("First Seen", |event| since(first_seen(event)).into()),
    wide("Count", |event| {
        let counts = [event.pointer("/series/count"), event.get("count")];
        counts.into_iter().flatten().next().cloned().unwrap_or_else(|| 1.into())
    }),
    wide("Name", |event| string(event, "/metadata/name").into()),
];
pub(super) const NODE: &[Column] = node::COLUMNS;
pub(super) const POD: &[Column] = pod::COLUMNS;
pub(super) const SERVICE: &[Column] = service::SERVICE;
pub(super) const ENDPOINTS: &[Column] = service::ENDPOINTS;
pub(super) const ENDPOINT_SLICE: &[Column] = service::ENDPOINT_SLICE;
pub(super) const QUOTA: &[Column] = quota::COLUMNS;
pub(super) const DEPLOYMENT: &[Column] = workload::DEPLOYMENT;
pub(super) const REPLICA_SET: &[Column] = workload::REPLICA_SET;
pub(super) const CLAIM: &[Column] = storage::CLAIM;
pub(super) const VOLUME: &[Column] = storage::VOLUME;
pub(super) const ROLE: &[Column] = rbac::ROLE;
pub(super) const BINDING: &[Column] = rbac::BINDING;
pub(super) const STORAGE_CLASS: &[Column] = storage::STORAGE_CLASS;

fn string<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn integer(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn count(object: &Value, pointer: &str) -> usize {
    object.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

fn first_of<'a>(object: &'a Value, pointers: &[&str]) -> &'a str {
    pointers
        .iter()
        .map(|pointer| string(object, pointer))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

fn last_seen(event: &Value) -> &str {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/firstTimestamp", "/eventTime"];
    first_of(event, &times)
}

fn first_seen(event: &Value) -> &str {
    first_of(event, &["/firstTimestamp", "/eventTime"])
}

fn event_source(event: &Value) -> String {
    let component = first_of(event, &["/source/component", "/reportingComponent"]);
    let host = first_of(event, &["/source/host", "/reportingInstance"]);
    if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") }
}

/// How long ago a time is.
fn since(time: &str) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "<unknown>".into() };
    duration(clock::now().as_second() - time.as_second())
}

/// A duration in two units at most, as `kubectl` shows ages.
fn duration(seconds: i64) -> String {
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large}{large_unit}")
        } else {
            format!("{large}{large_unit}{small}{small_unit}")
        }
    };
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if seconds < -1 => "<invalid>".into(),
        () if seconds < 0 => "0s".into(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 2 * 365 => format!("{days}d"),
        () if days < 8 * 365 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn ages_are_shown_as_kubectl_shows_them() {
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (600, "10m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 300, "3h5m"),
            (30 * 3600, "30h"),
            (49 * 3600, "2d1h"),
            (10 * 86400, "10d"),
            (800 * 86400, "2y70d"),
            (3650 * 86400, "10y"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
