//! Bodies in protobuf, which clients written in Go prefer for the kinds they have types for.
//!
//! Only requests are read so: every client that sends protobuf also takes JSON. A field that the table of messages does not
//! have is passed over, as kube-apiserver does with one that is newer than itself.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use self::messages::{Field, Holds, Kind, Message};

mod messages;

/// What every body in protobuf begins with.
const MAGIC: &[u8] = b"k8s\0";
/// No message of the API is nested deeper.
const MAXIMUM_DEPTH: usize = 16;

/// Reads a body; an error says what of it is not known here.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let rest =
        body.strip_prefix(MAGIC).ok_or("the body does not begin as a protobuf object does")?;
    let (type_meta, raw) = (part(rest, 1)?, part(rest, 2)?);
    let (version, kind) = (text(part(type_meta, 1)?)?, text(part(type_meta, 2)?)?);
    let root = root(version, kind)
        .ok_or_else(|| format!("objects of kind \"{kind}\" are only taken as JSON"))?;
    let mut object = message(root, raw, 0)?;
    object.insert("apiVersion".to_owned(), version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// The message of a kind. Messages are named by the first part of their group, and options may come under any group.
fn root(version: &str, kind: &str) -> Option<&'static Message> {
    let (group, version) = version.split_once('/').unwrap_or(("core", version));
    let group = group.split('.').next().unwrap_or(group);
    messages::message(&format!("{group}/{version}.{kind}"))
        .or_else(|| messages::message(&format!("meta/v1.{kind}")))
}

/// The bytes of one field of a message, none if it is absent.
fn part(mut bytes: &[u8], wanted: u64) -> Result<&[u8], String> {
    let mut found: &[u8] = &[];
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        if let (true, Content::Bytes(part)) = (tag >> 3 == wanted, content(tag & 7, &mut bytes)?) {
            found = part;
        }
    }
    Ok(found)
}

fn message(of: &Message, mut bytes: &[u8], depth: usize) -> Result<Map<String, Value>, String> {
    if depth > MAXIMUM_DEPTH {
        return Err("the message is nested too deeply".into());
    }
    let mut map = Map::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let content = content(tag & 7, &mut bytes)?;
        if let Some(field) = of.get(&(tag >> 3)) {
            add(field, content, &mut map, depth).map_err(|problem| {
                field.name.map_or_else(|| problem.clone(), |name| format!("{name}: {problem}"))
            })?;
        }
    }
    Ok(map)
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
    let Some(name) = field.name else {
        if let Value::Object(inner) = value(field.kind, content, depth)? {
            map.extend(inner);
        }
        return Ok(());
    };
    match field.holds {
        Holds::Map => {
            let Content::Bytes(bytes) = content else { return Err("it is no map".into()) };
            let (key, value) = entry(field.kind, bytes, depth)?;
            if let Value::Object(slot) = map.entry(name).or_insert_with(|| json!({})) {
                slot.insert(key, value);
            }
        }
        Holds::Several => {
            let value = value(field.kind, content, depth)?;
            if let Value::Array(list) = map.entry(name).or_insert_with(|| json!([])) {
                list.push(value);
            }
        }
        Holds::One | Holds::Optional => {
            let value = value(field.kind, content, depth)?;
            if field.holds == Holds::Optional || !is_zero(&value) {
                map.insert(name.to_owned(), value);
            }
        }
    }
    Ok(())
}

fn entry(of: Kind, mut bytes: &[u8], depth: usize) -> Result<(String, Value), String> {
    let (mut key, mut found) = (String::new(), None);
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let content = content(tag & 7, &mut bytes)?;
        match (tag >> 3, content) {
            (1, Content::Bytes(bytes)) => text(bytes)?.clone_into(&mut key),
            (2, content) => found = Some(value(of, content, depth)?),
            _ => return Err("an entry of a map has a key and a value only".into()),
        }
    }
    // One that is not there is an empty one.
    let found = found.map_or_else(|| value(of, Content::Bytes(&[]), depth), Ok)?;
    Ok((key, found))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| error.to_string())
}

fn value(kind: Kind, content: Content<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (kind, content) {
        (Kind::Text, Content::Bytes(bytes)) => text(bytes)?.into(),
        (Kind::Texts, Content::Bytes(bytes)) => texts(bytes)?,
        (Kind::Bytes, Content::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Integer, Content::Number(number)) => number.cast_signed().into(),
        (Kind::Flag, Content::Number(number)) => (number != 0).into(),
        (Kind::Message(name), Content::Bytes(bytes)) => {
            let of = messages::message(name).ok_or_else(|| format!("{name} is not known"))?;
            message(of, bytes, depth + 1)?.into()
        }
        (Kind::Quantity, Content::Bytes(bytes)) => match text(part(bytes, 1)?)? {
            "" => "0".into(),
            quantity => quantity.into(),
        },
        (Kind::IntegerOrText, Content::Bytes(bytes)) => {
            if integer(bytes, 1)? == 1 {
                text(part(bytes, 3)?)?.into()
            } else {
                integer(bytes, 2)?.into()
            }
        }
        (Kind::Json, Content::Bytes(bytes)) => {
            serde_json::from_slice(part(bytes, 1)?).map_err(|error| error.to_string())?
        }
        (Kind::Time, Content::Bytes(bytes)) => {
            time(bytes)?.map_or(Value::Null, |time| crate::clock::render(time).into())
        }
        (Kind::MicroTime, Content::Bytes(bytes)) => {
            time(bytes)?.map_or(Value::Null, |time| format!("{time:.6}").into())
        }
        _ => return Err("the field has another type on the wire".into()),
    })
}

fn texts(mut bytes: &[u8]) -> Result<Value, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        if let (1, Content::Bytes(bytes)) = (tag >> 3, content(tag & 7, &mut bytes)?) {
            found.push(Value::from(text(bytes)?));
        }
    }
    Ok(found.into())
}

/// One field of a message that is a number, 0 if it is absent.
fn integer(mut bytes: &[u8], wanted: u64) -> Result<i64, String> {
    let mut found = 0;
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        if let (true, Content::Number(number)) = (tag >> 3 == wanted, content(tag & 7, &mut bytes)?)
        {
            found = number.cast_signed();
        }
    }
    Ok(found)
}

/// A time, or that there is none.
fn time(bytes: &[u8]) -> Result<Option<jiff::Timestamp>, String> {
    let (seconds, nanoseconds) = (integer(bytes, 1)?, integer(bytes, 2)?);
    if seconds == 0 && nanoseconds == 0 {
        return Ok(None);
    }
    let nanoseconds = i32::try_from(nanoseconds).map_err(|error| error.to_string())?;
    jiff::Timestamp::new(seconds, nanoseconds).map(Some).map_err(|error| error.to_string())
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
    fn what_stands_inline_in_go_stands_inline_in_json() {
        // A volume's name, and in its source an empty directory, whose being there is what counts.
        let volume = [field(1, b"v"), field(2, &field(2, b""))].concat();
        let object = field(2, &field(1, &volume));
        let spec = json!({"volumes": [{"name": "v", "emptyDir": {}}]});
        assert_eq!(decode(&body("Pod", &object)).unwrap()["spec"], spec);
    }

    #[test]
    fn fields_that_are_newer_are_passed_over() {
        let object = [field(1, &field(1, b"a")), field(15, b"new")].concat();
        assert_eq!(decode(&body("ConfigMap", &object)).unwrap()["metadata"], json!({"name": "a"}));
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
        let whole = body("ConfigMap", &field(1, &field(1, b"a")));
        for length in 0..whole.len() {
            // A cut between two fields is a shorter message; any other one is an error and never a panic.
            let _ = decode(&whole[..length]);
        }
        assert!(decode(&whole[..whole.len() - 5]).is_err());
    }
}
