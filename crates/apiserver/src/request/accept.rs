//! The form of the answer: JSON, a table for `kubectl get`, or the metadata alone.

use http::{HeaderMap, header};

use crate::failure::Failure;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    Json,
    Table,
    Metadata,
}

impl Accept {
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut any = false;
        for value in headers.get_all(header::ACCEPT) {
            for clause in value.to_str().unwrap_or_default().split(',') {
                any = true;
                if let Some(accept) = clause_form(clause) {
                    return Ok(accept);
                }
            }
        }
        if any { Err(Failure::not_acceptable("application/json")) } else { Ok(Self::Json) }
    }
}

fn clause_form(clause: &str) -> Option<Accept> {
    let mut parts = clause.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "*/*" | "application/*" | "") {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter =
        |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    if matches!(parameter("v"), Some(version) if version != "v1") {
        return None;
    }
    match parameter("as") {
        None => Some(Accept::Json),
        Some("Table") => Some(Accept::Table),
        Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Accept::Metadata),
        // The discovery document in one piece, and whatever comes later.
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::Accept;

    #[test]
    fn the_first_form_that_is_known_is_taken() {
        for (accept, expected) in [
            ("", Some(Accept::Json)),
            ("application/json", Some(Accept::Json)),
            ("*/*", Some(Accept::Json)),
            ("application/vnd.kubernetes.protobuf,application/json", Some(Accept::Json)),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(Accept::Table)),
            (
                "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
                Some(Accept::Json),
            ),
            (
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                Some(Accept::Metadata),
            ),
            ("text/html", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Accept::parse(&headers).ok(), expected, "{accept}");
        }
    }
}
