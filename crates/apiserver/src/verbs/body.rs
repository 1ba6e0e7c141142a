//! Bodies of requests: read, decoded, and made to fit the kind they are sent to.

use std::collections::HashSet;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::{
    failure::{Cause, Failure},
    protobuf,
    request::{Call, MAXIMUM_BODY_BYTES},
    resources::{Resource, quantity},
};

mod times;
mod twice;
mod typed;

pub(super) use self::typed::{of_patched, of_value, read_as, read_of_kind};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The whole body.
pub(crate) async fn read(body: Body) -> Result<Bytes, Failure> {
    match Limited::new(body, MAXIMUM_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::too_large(MAXIMUM_BODY_BYTES)),
        Err(error) => Err(Failure::bad_request(format!("could not read the body: {error}"))),
    }
}

/// The object in the body of a call.
pub(super) async fn read_object(call: &Call, body: Body) -> Result<Value, Failure> {
    let bytes = read(body).await?;
    let value = object_in(call, call.target.resource.kind, &bytes)?;
    check_metadata(call.target.resource, &value)?;
    Ok(value)
}

/// The object that bytes of a body are; what kind it has to be of is told where it is none.
fn object_in(call: &Call, kind: &str, bytes: &[u8]) -> Result<Value, Failure> {
    let value = decode(call.content_type(), bytes)?;
    let value = value.and_then(|value| match value {
        Value::Object(_) => Ok(value),
        Value::Null => Ok(Value::Object(Map::new())),
        _ => Err("it is no object".into()),
    });
    let value = value.map_err(|problem| {
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {problem}"
        ))
    })?;
    if call.content_type() != PROTOBUF {
        // It is read once for each call.
        let _ = call.twice.set(twice::in_json(bytes));
    }
    Ok(value)
}

/// The metadata must be an object before anything is read from it or written to it.
fn check_metadata(resource: &Resource, object: &Value) -> Result<(), Failure> {
    let found = match object.get("metadata") {
        None | Some(Value::Null | Value::Object(_)) => return Ok(()),
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
    };
    let (kind, version) = (resource.kind, resource.version);
    Err(Failure::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: json: cannot unmarshal {found} into Go struct field {kind}.metadata of type v1.ObjectMeta"
    )))
}

/// The value that bytes of one of the known media types are; `Err` inside says why they cannot be read.
pub(crate) fn decode(media_type: &str, bytes: &[u8]) -> Result<Result<Value, String>, Failure> {
    match media_type {
        "application/json" => Ok(serde_json::from_slice(bytes).map_err(|error| error.to_string())),
        "application/yaml" => Ok(parse_yaml(bytes)),
        // The client can send the same as JSON.
        PROTOBUF => protobuf::decode(bytes).map(Ok).map_err(|problem| {
            Failure::unsupported_media_type(&format!("application/json ({problem})"))
        }),
        _ => Err(Failure::unsupported_media_type(&format!(
            "application/json, application/yaml, {PROTOBUF}"
        ))),
    }
}

/// A value from YAML, which most clients write as JSON.
pub(crate) fn parse_yaml(bytes: &[u8]) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// Checks that the object is of the kind, and names the kind where the object does not.
pub(super) fn check_kind(resource: &Resource, object: &mut Value) -> Result<(), Failure> {
    let Value::Object(map) = object else {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {})",
            resource.kind
        )));
    };
    let expected = resource.api_version();
    let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if !version.is_empty() && version != expected {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({expected})"
        )));
    }
    if !kind.is_empty() && kind != resource.kind {
        return Err(Failure::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {}",
            resource.version, resource.kind
        )));
    }
    map.insert("apiVersion".into(), expected.into());
    map.insert("kind".into(), resource.kind.into());
    Ok(())
}

/// Brings the object into the form of its type: fields that the type does not have are dropped, with a warning, or
/// refused if the client asked for that.
pub(super) fn normalize(call: &Call, mut object: Value) -> Result<Value, Failure> {
    let resource = call.target.resource;
    quantities_to_text(&mut object);
    let unreadable = |problem: &str| {
        Failure::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {problem}",
            resource.kind, resource.version, resource.kind
        ))
    };
    read_typed(call, object).map_err(|problem| unreadable(&problem))
}

/// A patch must leave an object that can be read.
pub(super) fn check_patched(call: &Call, patched: &Value) -> Result<(), Failure> {
    let mut object = patched.clone();
    quantities_to_text(&mut object);
    let unreadable = |problem: String| {
        let cause = Cause::invalid("patch", &patched.to_string().into(), &problem);
        Failure::invalid_kind("", "", "", &[cause])
    };
    read_typed(call, object).map(drop).map_err(unreadable)
}

/// The object as its type has it, by the word of the client about fields that it does not have.
fn read_typed(call: &Call, object: Value) -> Result<Value, String> {
    let mut object = object;
    fill_texts(&mut object);
    times::check(&object)?;
    let sent = object.clone();
    let mut typed = (call.target.resource.typed)(object).map_err(|error| error.to_string())?;
    let complaints = complaints_of(call, &sent, &typed);
    quantity::normalize(&mut typed)?;
    drop_empty(&mut typed);
    tell(call, complaints)?;
    call.target.resource.rules.complete(&mut typed);
    Ok(typed)
}

/// What there is to tell of fields that the type did not keep.
fn complaints_of(call: &Call, sent: &Value, typed: &Value) -> Vec<String> {
    if call.query.text("fieldValidation") == Some("Ignore") {
        return Vec::new();
    }
    complaints(sent, typed, call.twice.get().map(Vec::as_slice).unwrap_or_default())
}

/// Warns of fields that the type did not keep, or refuses them, by the word of the client.
fn tell(call: &Call, complaints: Vec<String>) -> Result<(), String> {
    if call.query.text("fieldValidation") == Some("Strict") && !complaints.is_empty() {
        return Err(format!("strict decoding error: {}", complaints.join(", ")));
    }
    for text in complaints {
        call.warnings.add(text);
    }
    Ok(())
}

/// In a map of texts nothing is an empty text.
fn fill_texts(value: &mut Value) {
    const MAPS: [&str; 5] = ["labels", "annotations", "matchLabels", "nodeSelector", "data"];
    let of_secret = value.get("kind").is_some_and(|kind| kind == "Secret");
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let texts = MAPS.contains(&key.as_str()) && !(of_secret && key == "data");
                match value {
                    Value::Object(fields) if texts => {
                        let empty = fields.values_mut().filter(|value| value.is_null());
                        empty.for_each(|value| *value = "".into());
                    }
                    other => fill_texts(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill_texts),
        _ => {}
    }
}

/// What is empty is not there, as far as the real server writes it so: nearly all lists, and plain maps.
fn drop_empty(value: &mut Value) {
    const MAPS: [&str; 5] = ["labels", "annotations", "data", "binaryData", "nodeSelector"];
    match value {
        Value::Object(map) => {
            map.retain(|key, value| match value {
                Value::Array(items) => !items.is_empty() || key == "containers",
                Value::Object(fields) => !fields.is_empty() || !MAPS.contains(&key.as_str()),
                _ => true,
            });
            map.iter_mut().for_each(|(_, value)| drop_empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

/// The fields of an object that its type does not have.
pub(super) fn unknown_fields(sent: &Value, typed: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    collect_unknown(sent, typed, &mut String::new(), &mut |path, known| {
        if !known {
            unknown.push(path.to_owned());
        }
    });
    unknown
}

/// What a client is told about fields that its object should not have, in their order.
fn complaints(sent: &Value, typed: &Value, twice: &[String]) -> Vec<String> {
    let mut texts = Vec::new();
    let twice: HashSet<&str> = twice.iter().map(String::as_str).collect();
    collect_unknown(sent, typed, &mut String::new(), &mut |path, known| {
        if !known {
            texts.push(format!("unknown field \"{path}\""));
        }
        if twice.contains(path) {
            texts.push(format!("duplicate field \"{path}\""));
        }
    });
    texts
}

/// Tells of each field whether it was kept on the way through the type.
fn collect_unknown(
    sent: &Value,
    typed: &Value,
    path: &mut String,
    tell: &mut dyn FnMut(&str, bool),
) {
    let length = path.len();
    match (sent, typed) {
        (Value::Object(sent), Value::Object(typed)) => {
            for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                let kept = typed.get(name);
                tell(path, kept.is_some());
                if let Some(typed) = kept {
                    collect_unknown(value, typed, path, tell);
                }
                path.truncate(length);
            }
        }
        (Value::Array(sent), Value::Array(typed)) => {
            for (position, (sent, typed)) in sent.iter().zip(typed).enumerate() {
                path.extend(["[", &position.to_string(), "]"]);
                collect_unknown(sent, typed, path, tell);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// A quantity may be written as a number, which the types do not know.
pub(super) fn quantities_to_text(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if quantity::MAPS.contains(&key.as_str()) {
                    for (_, quantity) in value.as_object_mut().into_iter().flatten() {
                        if let Value::Number(number) = quantity {
                            *quantity = number.to_string().into();
                        }
                    }
                } else {
                    quantities_to_text(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(quantities_to_text),
        _ => {}
    }
}
