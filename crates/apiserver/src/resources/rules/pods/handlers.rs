//! What is wrong with what a container is asked, or told, while it runs.

use serde_json::Value;

use super::{check_one_of, check_range, list, text};
use crate::{failure::Cause, resources::rules::names};

/// In the order in which they are looked at: the second one is the one too many.
const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const SCHEMES: [&str; 2] = ["HTTP", "HTTPS"];
const HEADER_NAME: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

pub(super) fn check(container: &Value, field: &str, causes: &mut Vec<Cause>) {
    for hook in ["postStart", "preStop"] {
        if let Some(hook_object) = container.pointer(&format!("/lifecycle/{hook}")) {
            check_handler(hook_object, &format!("{field}.lifecycle.{hook}"), causes);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(asked) = container.get(probe) else { continue };
        let place = format!("{field}.{probe}");
        check_handler(asked, &place, causes);
        for name in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            check_range(asked, name, 0..=i64::MAX, &place, causes);
        }
        let threshold = asked.get("successThreshold").unwrap_or(&Value::Null);
        if probe != "readinessProbe" && threshold.as_i64().is_some_and(|count| count != 1) {
            causes.push(Cause::invalid(
                format!("{place}.successThreshold"),
                threshold,
                "must be 1",
            ));
        }
    }
}

fn check_handler(handler: &Value, field: &str, causes: &mut Vec<Cause>) {
    let mut given = HANDLERS.iter().filter(|name| handler.get(name).is_some());
    let Some(first) = given.next() else {
        causes.push(Cause::required(field, "must specify a handler type"));
        return;
    };
    check_one(first, handler, field, causes);
    for name in given {
        let detail = "may not specify more than 1 handler type";
        causes.push(Cause::forbidden(format!("{field}.{name}"), detail));
    }
}

fn check_one(name: &str, handler: &Value, field: &str, causes: &mut Vec<Cause>) {
    let Some(action) = handler.get(name) else { return };
    let field = format!("{field}.{name}");
    match name {
        "exec" if list(action, "command").next().is_none() => {
            causes.push(Cause::required(format!("{field}.command"), ""));
        }
        "httpGet" => {
            if text(action, "/path").is_empty() {
                causes.push(Cause::required(format!("{field}.path"), ""));
            }
            check_port(action, &field, causes);
            check_one_of(action, "scheme", &SCHEMES, &field, causes);
            check_headers(action, &field, causes);
        }
        "tcpSocket" | "grpc" => check_port(action, &field, causes),
        _ => {}
    }
}

fn check_port(action: &Value, field: &str, causes: &mut Vec<Cause>) {
    // A number that is left out is 0 to the real server.
    let port = action.get("port").cloned().unwrap_or_else(|| 0.into());
    let problems = names::port_problems(&port).into_iter();
    causes.extend(problems.map(|problem| Cause::invalid(format!("{field}.port"), &port, problem)));
}

fn check_headers(action: &Value, field: &str, causes: &mut Vec<Cause>) {
    for header in list(action, "httpHeaders") {
        let name = text(header, "/name");
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || !name.bytes().all(good) {
            let place = format!("{field}.httpHeaders");
            causes.push(Cause::invalid(place, &name.into(), HEADER_NAME));
        }
    }
}
