//! Bodies in protobuf, which clients written in Go prefer for the kinds they have types for.
//!
//! Only requests are read so: every client that sends protobuf also takes JSON. A message has the fields that such
//! clients really send; one with a field beyond them is refused, so that nothing is lost in silence.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use self::messages::{Field, Kind, Message};

mod messages;

/// What every body in protobuf begins with.
const MAGIC: &[u8] = b"k8s\0";
/// No message of the API is nested deeper.
const MAXIMUM_DEPTH: usize = 16;

/// Reads a body; an error says what of it is not known here.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let rest =
        body.strip_prefix(MAGIC).ok_or("the body does not begin as a protobuf object does")?;
    let envelope = message(&messages::ENVELOPE, rest, 0)?;
    let text =
        |pointer: &str| envelope.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/typeMeta/apiVersion"), text("/typeMeta/kind"));
    let wanted = messages::ROOTS.iter().find(|(name, _)| *name == kind);
    let (_, root) =
        wanted.ok_or_else(|| format!("objects of kind \"{kind}\" are only taken as JSON"))?;
    let raw = STANDARD.decode(text("/raw")).map_err(|error| error.to_string())?;
    let mut object = message(root, &raw, 0)?;
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn message(kind: &Message, mut bytes: &[u8], depth: usize) -> Result<Value, String> {
    if depth > MAXIMUM_DEPTH {
        return Err("the message is nested too deeply".into());
    }
    let mut map = Map::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let content = content(tag & 7, &mut bytes)?;
        let field = kind.fields.iter().find(|field| u64::from(field.number) == tag >> 3);
        let field = field
            .ok_or_else(|| format!("field {} of {} is only taken as JSON", tag >> 3, kind.name))?;
        add(field, content, &mut map, depth)?;
    }
    map.retain(|name, value| {
        kind.fields.iter().any(|field| field.name == name && field.pointer) || !is_zero(value)
    });
    Ok(Value::Object(map))
}

/// Fields that are no pointers in Go are always sent, so that their zero means that they are absent.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// The content of a field on the wire.
#[derive(Clone, Copy)]
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn content<'a>(wire: u64, bytes: &mut &'a [u8]) -> Result<Content<'a>, String> {
    match wire {
        0 => number(bytes).map(Content::Number),
        2 => {
            let length = usize::try_from(number(bytes)?).map_err(|error| error.to_string())?;
            let part = bytes.get(..length).ok_or("a field is longer than its message")?;
            *bytes = &bytes[length..];
            Ok(Content::Bytes(part))
        }
        other => Err(format!("wire type {other} is not used by the API")),
    }
}

fn number(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or("the message ends within a number")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".into())
}

fn add(
    field: &Field,
    content: Content<'_>,
    map: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    if let Kind::Map(of) = field.kind {
        let Content::Bytes(bytes) = content else {
            return Err(format!("{} is no map", field.name));
        };
        let (key, value) = entry(of, bytes, depth)?;
        let slot = map.entry(field.name).or_insert_with(|| json!({}));
        slot[key] = value;
        return Ok(());
    }
    let value = value(field.kind, content, depth)
        .map_err(|problem| format!("{}: {problem}", field.name))?;
    if field.repeated {
        let slot = map.entry(field.name).or_insert_with(|| json!([]));
        if let Value::Array(list) = slot {
            list.push(value);
        }
    } else {
        map.insert(field.name.to_owned(), value);
    }
    Ok(())
}

fn entry(of: &Kind, mut bytes: &[u8], depth: usize) -> Result<(String, Value), String> {
    let (mut key, mut entry_value) = (String::new(), None);
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let content = content(tag & 7, &mut bytes)?;
        match (tag >> 3, content) {
            (1, Content::Bytes(text)) => key = String::from_utf8_lossy(text).into_owned(),
            (2, content) => entry_value = Some(value(*of, content, depth)?),
            _ => return Err("an entry of a map has a key and a value only".into()),
        }
    }
    Ok((key, entry_value.unwrap_or_else(|| "".into())))
}

fn value(kind: Kind, content: Content<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (kind, content) {
        (Kind::Text, Content::Bytes(bytes)) => {
            std::str::from_utf8(bytes).map_err(|error| error.to_string())?.into()
        }
        (Kind::Bytes, Content::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Integer, Content::Number(number)) => number.cast_signed().into(),
        (Kind::Flag, Content::Number(number)) => (number != 0).into(),
        (Kind::Message(of), Content::Bytes(bytes)) => message(of, bytes, depth + 1)?,
        (Kind::Quantity, Content::Bytes(bytes)) => message(&messages::QUANTITY, bytes, depth + 1)?
            .get("string")
            .cloned()
            .unwrap_or_else(|| "0".into()),
        (Kind::IntegerOrText, Content::Bytes(bytes)) => {
            let parts = message(&messages::INTEGER_OR_TEXT, bytes, depth + 1)?;
            let is_text = parts.get("type").is_some_and(|kind| *kind == 1);
            let part = parts.get(if is_text { "text" } else { "integer" }).cloned();
            part.unwrap_or_else(|| if is_text { "".into() } else { 0.into() })
        }
        (Kind::Time, Content::Bytes(bytes)) => {
            let seconds =
                message(&messages::TIME, bytes, depth + 1)?.get("seconds").and_then(Value::as_i64);
            let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            time.map_or(Value::Null, |time| crate::clock::render(time).into())
        }
        _ => return Err("the field has another type on the wire".into()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::decode;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        bytes.extend_from_slice(content);
        bytes
    }

    fn body(kind: &str, object: &[u8]) -> Vec<u8> {
        let kind = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &kind), field(2, object), field(3, b""), field(4, b"")]
            .concat()
    }

    #[test]
    fn a_config_map_is_read_without_what_is_empty() {
        let metadata =
            [field(1, b"a"), field(2, b""), field(3, b"n"), vec![7 << 3, 0], field(8, b"")]
                .concat();
        let data = [field(1, b"key"), field(2, b"value")].concat();
        let object = [field(1, &metadata), field(2, &data), vec![4 << 3, 0]].concat();
        let expected = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "n"},
            "data": {"key": "value"},
            "immutable": false
        });
        assert_eq!(decode(&body("ConfigMap", &object)), Ok(expected));
    }

    #[test]
    fn a_quota_is_read_with_its_amounts() {
        let amount = [field(1, b"pods"), field(2, &field(1, b"2"))].concat();
        let spec = [field(1, &amount), field(2, b"BestEffort")].concat();
        let object = [field(1, &field(1, b"q")), field(2, &spec), field(3, b"")].concat();
        let expected = json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": {"pods": "2"}, "scopes": ["BestEffort"]}
        });
        assert_eq!(decode(&body("ResourceQuota", &object)), Ok(expected));
    }

    #[test]
    fn what_is_not_known_or_cut_short_is_an_error() {
        assert!(decode(&body("Widget", b"")).unwrap_err().contains("Widget"));
        assert!(
            decode(&body("ConfigMap", &field(9, b"x")))
                .unwrap_err()
                .contains("field 9 of ConfigMap")
        );
        let whole = body("ConfigMap", &field(1, &field(1, b"a")));
        for length in 0..whole.len() {
            // A cut between two fields is a shorter message; any other one is an error and never a panic.
            let _ = decode(&whole[..length]);
        }
        assert!(decode(&whole[..whole.len() - 5]).is_err());
    }
}
