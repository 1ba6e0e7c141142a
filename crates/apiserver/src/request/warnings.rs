//! What a client is told beside the answer, in `Warning` headers.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, header};

/// Warnings in the order in which they came up, each once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    pub(crate) fn add(&self, text: String) {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in warnings.iter() {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            // A text that cannot stand in a header is left out.
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
                headers.append(header::WARNING, value);
            }
        }
    }
}
