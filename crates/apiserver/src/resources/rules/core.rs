//! The rules of the simple kinds of the core group.

use serde_json::{Value, json};

use super::{Rules, child, default_to, items, names, text};
use crate::failure::Cause;

/// Names of keys in ConfigMaps and Secrets are file names.
const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const MAXIMUM_DATA_BYTES: usize = 1 << 20;

/// A kind without rules of its own.
pub(crate) struct Plain;

impl Rules for Plain {}

/// Namespaces: made active, ended through their finalizer.
pub(crate) struct Namespaces;

impl Rules for Namespaces {
    fn default(&self, object: &mut Value) {
        let name = text(object, "/metadata/name").to_owned();
        if let Some(labels) =
            child(object, "metadata").and_then(|metadata| child(metadata, "labels"))
        {
            labels["kubernetes.io/metadata.name"] = name.into();
        }
    }

    fn prepare_create(&self, object: &mut Value) {
        object["status"] = json!({"phase": "Active"});
        let Some(spec) = child(object, "spec") else { return };
        let finalizers = child(spec, "finalizers");
        if let Some(finalizers) = finalizers {
            match finalizers.as_array_mut() {
                Some(list) if list.iter().any(|name| name == "kubernetes") => {}
                Some(list) => list.push("kubernetes".into()),
                None => *finalizers = json!(["kubernetes"]),
            }
        }
    }

    fn prepare_update(&self, new: &mut Value, old: &Value) {
        // The finalizers of the specification change only through the subresource `finalize`.
        new["spec"] = old.get("spec").cloned().unwrap_or_else(|| json!({}));
    }

    fn name_problem(&self, name: &str) -> Option<String> {
        names::namespace_problem(name)
    }
}

/// ConfigMaps.
pub(crate) struct ConfigMaps;

impl Rules for ConfigMaps {
    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_data(object, &["data", "binaryData"], &mut causes);
        let data = object.get("data").and_then(Value::as_object);
        for key in object
            .get("binaryData")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            if data.is_some_and(|data| data.contains_key(key)) {
                let detail = "duplicate of key present in binaryData";
                causes.push(Cause::invalid(format!("data[{key}]"), &key.as_str().into(), detail));
            }
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        check_immutable(new, old, &["data", "binaryData"])
    }
}

/// Secrets.
pub(crate) struct Secrets;

impl Rules for Secrets {
    fn default(&self, object: &mut Value) {
        default_to(object, "type", "Opaque");
        let Some(text) = object.as_object_mut().and_then(|map| map.shift_remove("stringData"))
        else {
            return;
        };
        let Some(data) = child(object, "data") else { return };
        for (key, value) in text.as_object().into_iter().flatten() {
            use base64::Engine;
            let value = value.as_str().unwrap_or_default();
            data[key] = base64::engine::general_purpose::STANDARD.encode(value).into();
        }
    }

    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_data(object, &["data"], &mut causes);
        check_type(object, &mut causes);
        causes
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        if text(object, "/type") != "kubernetes.io/tls" {
            return Vec::new();
        }
        let inputs = [("tls.crt", "certificate"), ("tls.key", "key")];
        let without = inputs.iter().find(|(key, _)| {
            let content = content(object, key).unwrap_or_default();
            !String::from_utf8_lossy(&content).contains("-----BEGIN ")
        });
        let warning =
            |(_, name): &(_, &str)| format!("tls: failed to find any PEM data in {name} input");
        without.map(warning).into_iter().collect()
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let mut causes = check_immutable(new, old, &["data"]);
        causes.extend(super::immutable(new, old, "/type", "type"));
        causes
    }
}

/// Secrets of some types must have some keys.
fn check_type(secret: &Value, causes: &mut Vec<Cause>) {
    let has = |key: &str| secret.pointer(&format!("/data/{key}")).is_some();
    let keys: &[&str] = match text(secret, "/type") {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            &["username", "password"]
        }
        "kubernetes.io/service-account-token" => {
            let annotation = "kubernetes.io/service-account.name";
            let annotations = secret.pointer("/metadata/annotations");
            if annotations.and_then(|all| all.get(annotation)).is_none() {
                causes.push(Cause::required(format!("metadata.annotations[{annotation}]"), ""));
            }
            &[]
        }
        _ => &[],
    };
    let missing = keys.iter().filter(|key| !has(key));
    causes.extend(missing.map(|key| Cause::required(format!("data[{key}]"), "")));
    for key in keys.iter().filter(|key| key.starts_with(".docker")) {
        let Some(content) = content(secret, key) else { continue };
        if let Err(error) = serde_json::from_slice::<serde_json::Map<String, Value>>(&content) {
            let hidden = "<secret contents redacted>".into();
            let detail = unreadable(&content, &error);
            causes.push(Cause::invalid(format!("data[{key}]"), &hidden, &detail));
        }
    }
}

/// Why a text is no JSON; of a wrong beginning in the words of the real server.
fn unreadable(content: &[u8], error: &serde_json::Error) -> String {
    let first = String::from_utf8_lossy(content).trim_start().chars().next();
    match first.filter(|first| !"{[\"-0123456789tfn".contains(*first)) {
        Some(first) => format!("invalid character '{first}' looking for beginning of value"),
        None => error.to_string(),
    }
}

fn content(secret: &Value, key: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    let text = secret.get("data")?.get(key)?.as_str()?;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn check_data(object: &Value, fields: &[&str], causes: &mut Vec<Cause>) {
    let mut total = 0;
    for field in fields {
        for (key, value) in object.get(field).and_then(Value::as_object).into_iter().flatten() {
            total += value.as_str().map_or(0, str::len);
            let place = format!("{field}[{key}]");
            if key.len() > 253 {
                causes.push(Cause::invalid(
                    place,
                    &key.as_str().into(),
                    "must be no more than 253 characters",
                ));
            } else if key.is_empty()
                || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            {
                causes.push(Cause::invalid(place, &key.as_str().into(), KEY));
            } else if key == "." {
                causes.push(Cause::invalid(place, &".".into(), "must not be '.'"));
            } else if key == ".." {
                causes.push(Cause::invalid(place, &"..".into(), "must not be '..'"));
            } else if key.starts_with("..") {
                let detail = "must not start with '..'";
                causes.push(Cause::invalid(place, &key.as_str().into(), detail));
            }
        }
    }
    if total > MAXIMUM_DATA_BYTES {
        causes.push(Cause::too_long("", MAXIMUM_DATA_BYTES));
    }
}

fn check_immutable(new: &Value, old: &Value, fields: &[&str]) -> Vec<Cause> {
    if old.get("immutable").and_then(Value::as_bool) != Some(true) {
        return Vec::new();
    }
    let detail = "field is immutable when `immutable` is set";
    ["immutable"]
        .iter()
        .chain(fields)
        .filter(|field| new.get(**field) != old.get(**field))
        .map(|field| Cause::forbidden(*field, detail))
        .collect()
}

/// Endpoints.
pub(crate) struct EndpointsRules;

impl Rules for EndpointsRules {
    fn default(&self, object: &mut Value) {
        for subset in items(object, "subsets") {
            for port in items(subset, "ports") {
                default_to(port, "protocol", "TCP");
            }
        }
    }

    fn prepare_create(&self, _object: &mut Value) {}

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        for (position, subset) in
            object.get("subsets").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            for list in ["addresses", "notReadyAddresses"] {
                let addresses = subset.get(list).and_then(Value::as_array).into_iter().flatten();
                for (number, address) in addresses.enumerate() {
                    let field = format!("subsets[{position}].{list}[{number}].ip");
                    address_problems(text(address, "/ip"), &field, &mut causes);
                }
            }
            check_subset(subset, &format!("subsets[{position}]"), &mut causes);
        }
        causes
    }
}

fn check_subset(subset: &Value, place: &str, causes: &mut Vec<Cause>) {
    let count = |field: &str| subset.get(field).and_then(Value::as_array).map_or(0, Vec::len);
    if count("addresses") + count("notReadyAddresses") == 0 {
        causes.push(Cause::required(place, "must specify `addresses` or `notReadyAddresses`"));
    }
    let ports = subset.get("ports").and_then(Value::as_array).into_iter().flatten();
    for (position, port) in ports.enumerate() {
        let place = format!("{place}.ports[{position}]");
        let name = text(port, "/name");
        if name.is_empty() && count("ports") > 1 {
            causes.push(Cause::required(format!("{place}.name"), ""));
        } else if !name.is_empty()
            && let Some(problem) = super::names::label_problem(name)
        {
            causes.push(Cause::invalid(format!("{place}.name"), &name.into(), &problem));
        }
        let number = port.get("port").unwrap_or(&Value::Null);
        if !number.as_i64().is_some_and(|number| (1..=65535).contains(&number)) {
            let detail = "must be between 1 and 65535, inclusive";
            causes.push(Cause::invalid(format!("{place}.port"), number, detail));
        }
        let protocol = text(port, "/protocol");
        let supported = ["SCTP", "TCP", "UDP"];
        if !supported.contains(&protocol) {
            let place = format!("{place}.protocol");
            causes.push(Cause::unsupported(place, &protocol.into(), &supported));
        }
    }
}

pub(super) fn address_problems(address: &str, field: &str, causes: &mut Vec<Cause>) {
    use std::net::IpAddr;
    let value = Value::from(address);
    let Ok(address) = address.parse::<IpAddr>() else {
        let form = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        causes.push(Cause::invalid(field, &value, form));
        causes.push(Cause::invalid(field, &value, "must be a valid IP address"));
        return;
    };
    let detail = match address {
        _ if address.is_unspecified() => format!("may not be unspecified ({address})"),
        _ if address.is_loopback() => {
            "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()
        }
        IpAddr::V4(v4) if v4.is_link_local() => {
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()
        }
        IpAddr::V4(v4) if v4.octets().starts_with(&[224, 0, 0]) => {
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned()
        }
        _ => return,
    };
    causes.push(Cause::invalid(field, &value, &detail));
}

/// Leases.
pub(crate) struct Leases;

impl Rules for Leases {
    fn default(&self, object: &mut Value) {
        child(object, "spec");
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        for (name, least) in [("leaseDurationSeconds", 1), ("leaseTransitions", 0)] {
            let value = object.pointer(&format!("/spec/{name}")).unwrap_or(&Value::Null);
            if value.as_i64().is_some_and(|number| number < least) {
                let detail = if least == 1 {
                    "must be greater than 0"
                } else {
                    "must be greater than or equal to 0"
                };
                causes.push(Cause::invalid(format!("spec.{name}"), value, detail));
            }
        }
        causes
    }
}
