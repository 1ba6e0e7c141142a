//! The only place that asks what time it is; decisions get `now` as an argument.

use jiff::Timestamp;

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
