use jiff::Timestamp;

/// The one place where control asks what time it is, in whole milliseconds, as the database keeps it.
pub(crate) fn now() -> Timestamp {
    whole_milliseconds(Timestamp::now())
}

/// Times that are compared must have one precision: a look that began in the millisecond in which
/// something was made would otherwise seem to have begun after it.
pub(crate) fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
