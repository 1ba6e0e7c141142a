//! The form of the answer: JSON, a table for `kubectl get`, or the metadata alone.

use http::{HeaderMap, header};

use crate::failure::Failure;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    Json,
    Table,
    Metadata,
    /// The metadata of the objects of a list.
    MetadataList,
}

impl Accept {
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut any = false;
        let mut known = false;
        for value in headers.get_all(header::ACCEPT) {
            for clause in value.to_str().unwrap_or_default().split(',') {
                any = true;
                match clause_form(clause) {
                    Clause::Form(accept) => return Ok(accept),
                    Clause::OtherView => known = true,
                    Clause::OtherType => {}
                }
            }
        }
        match (any, known) {
            (false, _) => Ok(Self::Json),
            (true, true) => Err(Failure::no_such_view()),
            (true, false) => Err(Failure::not_acceptable()),
        }
    }
}

/// What one of the forms that a client accepts comes to.
enum Clause {
    Form(Accept),
    /// A view that this server does not have, such as the discovery document in one piece.
    OtherView,
    OtherType,
}

fn clause_form(clause: &str) -> Clause {
    let mut parts = clause.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !matches!(media_type, "application/json" | "*/*" | "application/*" | "") {
        return Clause::OtherType;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter =
        |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let Some(view) = parameter("as") else { return Clause::Form(Accept::Json) };
    let version = parameter("v").unwrap_or("v1");
    let group = parameter("g").unwrap_or("meta.k8s.io");
    match view {
        _ if version != "v1" || group != "meta.k8s.io" => Clause::OtherView,
        "Table" => Clause::Form(Accept::Table),
        "PartialObjectMetadata" => Clause::Form(Accept::Metadata),
        "PartialObjectMetadataList" => Clause::Form(Accept::MetadataList),
        _ => Clause::OtherView,
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
