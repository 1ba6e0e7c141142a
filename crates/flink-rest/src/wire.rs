//! How Flink writes numbers: milliseconds where -1 and 0 mean "not yet", and NaN as a text.

use std::time::Duration;

use flumen_model::ByteSize;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Milliseconds since 1970; -1, 0, null or no field at all: not (yet).
pub(crate) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<i64>::deserialize(from)? {
        Some(milliseconds) if milliseconds > 0 => {
            Timestamp::from_millisecond(milliseconds).map(Some).map_err(D::Error::custom)
        }
        _ => Ok(None),
    }
}

/// Milliseconds that cannot be missing.
pub(crate) fn required_time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    Timestamp::from_millisecond(i64::deserialize(from)?).map_err(D::Error::custom)
}

/// A span in milliseconds; below zero, null or no field: zero.
pub(crate) fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let milliseconds = Option::<i64>::deserialize(from)?.unwrap_or(0);
    Ok(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

/// A span in milliseconds that may be unknown or, as `Long.MAX_VALUE`, mean "never".
pub(crate) fn limited_span<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let milliseconds = Option::<i64>::deserialize(from)?.filter(|value| *value != i64::MAX);
    Ok(milliseconds.and_then(|value| u64::try_from(value).ok()).map(Duration::from_millis))
}

/// A number of bytes; below zero, null or no field: unknown.
pub(crate) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ByteSize>, D::Error> {
    let bytes = Option::<i64>::deserialize(from)?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()).map(ByteSize::from_bytes))
}

/// A count; below zero, null or no field: unknown.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<i64>::deserialize(from)?.and_then(|count| u64::try_from(count).ok()))
}

/// A measurement as a number or as a text; NaN, infinities, null or no field: unknown.
pub(crate) fn measure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    let value = match Option::<Written>::deserialize(from)? {
        None => None,
        Some(Written::Number(number)) => Some(number),
        Some(Written::Text(text)) => text.parse().ok(),
    };
    Ok(value.filter(|value| value.is_finite()))
}

/// A text; null or empty: none.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()))
}

/// A list; null is empty.
pub(crate) fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}
