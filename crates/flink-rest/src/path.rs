//! Paths and queries from values that may hold any character.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what RFC 3986 calls unreserved, and the comma, which separates names of metrics.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');

/// One segment of a path, or one name or value of a query.
pub(crate) fn escape(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

/// `?a=b&c=d`, or nothing when there are no pairs.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        let value = escape(&value).to_string();
        text.extend([name, "=", &value]);
    }
    text
}
