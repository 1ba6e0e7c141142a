//! Field selectors: `metadata.name=a,status.phase!=Failed`.

use crate::{failure::Failure, resources::Resource, storage::Object};

/// The fields that every kind has.
const METADATA_FIELDS: usize = 2;

const NAME: &str = "metadata.name";

/// One term of a field selector.
#[derive(Debug)]
pub(crate) struct Requirement {
    position: usize,
    equal: bool,
    value: String,
}

impl Requirement {
    pub(super) fn matches(&self, object: &Object) -> bool {
        (object.field(self.position) == self.value) == self.equal
    }
}

pub(super) fn parse(resource: &Resource, text: &str) -> Result<Vec<Requirement>, Failure> {
    let mut requirements = Vec::new();
    for term in split(text) {
        if term.is_empty() {
            continue;
        }
        let (field, equal, value) = take_apart(&term).ok_or_else(|| {
            Failure::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"))
        })?;
        let position = resource.selectable_position(field).ok_or_else(|| {
            // Kinds without fields of their own have a text of their own.
            let only = r#"only "metadata.name", "metadata.namespace""#;
            Failure::bad_request(if resource.selectable.len() == METADATA_FIELDS {
                format!("\"{field}\" is not a known field selector: {only}")
            } else {
                format!("field label not supported: {field}")
            })
        })?;
        requirements.push(Requirement { position, equal, value: unescape(value) });
    }
    Ok(requirements)
}

/// The name that every object has which the selector selects, if it says just one.
pub(crate) fn only_name(text: &str) -> Option<String> {
    let terms = split(text);
    let terms = terms.iter().filter(|term| !term.is_empty());
    let terms: Vec<_> = terms.map(|term| take_apart(term)).collect::<Option<_>>()?;
    let (.., name) = terms.into_iter().find(|(field, equal, _)| *field == NAME && *equal)?;
    Some(unescape(name))
}

fn take_apart(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.find(['=', '!'])?;
    let (field, rest) = term.split_at(at);
    let (equal, value) = if let Some(value) = rest.strip_prefix("!=") {
        (false, value)
    } else if let Some(value) = rest.strip_prefix("==") {
        (true, value)
    } else {
        (true, rest.strip_prefix('=')?)
    };
    (!field.is_empty()).then_some((field, equal, value))
}

/// Splits at commas that are not escaped by a backslash.
fn split(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            terms.push(String::new());
            continue;
        }
        escaped = character == '\\' && !escaped;
        if let Some(term) = terms.last_mut() {
            term.push(character);
        }
    }
    terms
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    plain
}
