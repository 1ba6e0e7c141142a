//! The time, in the forms that objects carry.

use jiff::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A time as `metav1.Time` has it: seconds, UTC.
pub(crate) fn render(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, as `metav1.Time` has it.
pub(crate) fn stamp() -> String {
    render(now())
}
