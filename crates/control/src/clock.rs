use jiff::Timestamp;

/// The one place where control asks what time it is. Rounded to milliseconds, as the database keeps it.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
