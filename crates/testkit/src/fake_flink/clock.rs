use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, as a JobManager tells times.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    i64::try_from(since.as_millis()).expect("it is earlier than that")
}
