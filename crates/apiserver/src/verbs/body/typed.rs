//! Bodies whose kind is not the one of the stored object: those of its parts, and options.

use axum::body::Body;
use k8s_openapi::{Metadata, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{complaints_of, fill_texts, object_in, read, tell};
use crate::{
    failure::{Cause, Failure},
    request::Call,
};

/// A kind of the API, as its type has it.
pub(in crate::verbs) trait Kind:
    Metadata<Ty = ObjectMeta> + DeserializeOwned + Serialize
{
}

impl<T: Metadata<Ty = ObjectMeta> + DeserializeOwned + Serialize> Kind for T {}

/// What is in the body of a call: of its kind, and nothing that its type cannot hold.
pub(in crate::verbs) async fn read_as<T: Kind>(call: &Call, body: Body) -> Result<T, Failure> {
    of_value(call, read_of_kind(call, T::KIND, body).await?)
}

/// The object in the body of a call, of which only its kind is known so far.
pub(in crate::verbs) async fn read_of_kind(
    call: &Call,
    kind: &str,
    body: Body,
) -> Result<Value, Failure> {
    object_in(call, kind, &read(body).await?)
}

/// What a value is as its type has it.
pub(in crate::verbs) fn of_value<T: Kind>(call: &Call, value: Value) -> Result<T, Failure> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let kind = if text("kind").is_empty() { T::KIND } else { text("kind") };
    let version = if text("apiVersion").is_empty() { T::API_VERSION } else { text("apiVersion") };
    let version = version.rsplit('/').next().unwrap_or_default();
    let beginning = format!("{kind} in version \"{version}\" cannot be handled as a {}", T::KIND);
    let typed: T = read_typed(call, value)
        .map_err(|problem| Failure::bad_request(format!("{beginning}: {problem}")))?;
    let namespace = typed.metadata().namespace.as_deref().unwrap_or_default();
    if !namespace.is_empty() && namespace != call.namespace() {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(typed)
}

/// What a patch leaves.
pub(in crate::verbs) fn of_patched<T: Kind>(call: &Call, patched: Value) -> Result<T, Failure> {
    let told = Value::from(patched.to_string());
    read_typed(call, patched).map_err(|problem| {
        Failure::invalid_kind("", "", "", &[Cause::invalid("patch", &told, &problem)])
    })
}

fn read_typed<T: Kind>(call: &Call, mut value: Value) -> Result<T, String> {
    for (field, own) in [("apiVersion", T::API_VERSION), ("kind", T::KIND)] {
        // What is not said is what it has to be; what is said is checked by the type.
        let said = value.get(field).is_some_and(|said| !said.is_null() && said != "");
        if let Value::Object(map) = &mut value
            && !said
        {
            map.insert(field.into(), own.into());
        }
    }
    fill_texts(&mut value);
    let typed: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    let kept = serde_json::to_value(&typed).map_err(|error| error.to_string())?;
    tell(call, complaints_of(call, &value, &kept))?;
    Ok(typed)
}
