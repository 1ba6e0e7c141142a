//! How the kinds of the API look in protobuf: the table in `messages.txt`, which `scripts/clients/go/messages` prints from
//! Kubernetes' own types.

use std::{collections::HashMap, sync::OnceLock};

const TEXT: &str = include_str!("messages.txt");

/// A message: its fields by their numbers.
pub(super) type Message = HashMap<u64, Field>;

/// A field of a message.
pub(super) struct Field {
    /// As JSON calls it; `None` where the fields of the inner message stand in the outer one.
    pub(super) name: Option<&'static str>,
    pub(super) kind: Kind,
    pub(super) holds: Holds,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    One,
    /// Its zero is meant, as it could be absent.
    Optional,
    Several,
    Map,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Texts,
    Bytes,
    Integer,
    Flag,
    Time,
    MicroTime,
    Quantity,
    IntegerOrText,
    Json,
    Message(&'static str),
}

/// The message of this name, such as `core/v1.Pod`.
pub(super) fn message(name: &str) -> Option<&'static Message> {
    static MESSAGES: OnceLock<HashMap<&'static str, Message>> = OnceLock::new();
    MESSAGES.get_or_init(|| read(TEXT)).get(name)
}

/// Reads the table. What is wrong in it is left out, and found by the test below.
fn read(text: &'static str) -> HashMap<&'static str, Message> {
    let mut messages: HashMap<&str, Message> = HashMap::new();
    let mut current = "";
    for line in text.lines() {
        match line.strip_prefix(' ') {
            None => {
                current = line;
                messages.entry(current).or_default();
            }
            Some(line) => {
                if let (Some((number, field)), Some(message)) =
                    (field(line), messages.get_mut(current))
                {
                    message.insert(number, field);
                }
            }
        }
    }
    messages
}

fn field(line: &'static str) -> Option<(u64, Field)> {
    let (number, rest) = line.split_once(' ')?;
    let (name, kind) = rest.split_once(' ')?;
    let (kind, holds) = if let Some(kind) = kind.strip_prefix("map ") {
        (kind, Holds::Map)
    } else if let Some(kind) = kind.strip_suffix('*') {
        (kind, Holds::Several)
    } else if let Some(kind) = kind.strip_suffix('?') {
        (kind, Holds::Optional)
    } else {
        (kind, Holds::One)
    };
    let kind = match kind {
        "text" => Kind::Text,
        "texts" => Kind::Texts,
        "bytes" => Kind::Bytes,
        "integer" => Kind::Integer,
        "flag" => Kind::Flag,
        "time" => Kind::Time,
        "microtime" => Kind::MicroTime,
        "quantity" => Kind::Quantity,
        "integer-or-text" => Kind::IntegerOrText,
        "json" => Kind::Json,
        name if name.contains('.') => Kind::Message(name),
        _ => return None,
    };
    let name = (name != "-").then_some(name);
    Some((number.parse().ok()?, Field { name, kind, holds }))
}

#[cfg(test)]
mod tests {
    use super::{Kind, TEXT, message, read};

    #[test]
    fn every_line_is_a_field_and_every_message_is_there() {
        let messages = read(TEXT);
        let fields: usize = messages.values().map(std::collections::HashMap::len).sum();
        assert_eq!(messages.len() + fields, TEXT.lines().count());
        for (name, field) in messages.values().flatten() {
            if let Kind::Message(of) = field.kind {
                assert!(message(of).is_some(), "{of}, which field {name} holds");
            }
        }
    }
}
