//! What is wrong with the resources that a container asks for.

use serde_json::Value;

use crate::{failure::Cause, resources::quantity};

const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const BILLION: i128 = 1_000_000_000;

pub(super) fn check(resources: &Value, field: &str, causes: &mut Vec<Cause>) {
    let field = format!("{field}.resources");
    for kind in ["limits", "requests"] {
        for (name, value) in amounts(resources, kind) {
            check_one(name, value, &format!("{field}.{kind}[{name}]"), causes);
        }
    }
    let limit_of = |name: &str| amounts(resources, "limits").find(|(known, _)| *known == name);
    for (name, request) in amounts(resources, "requests") {
        let (Some(wanted), limit) = (quantity::parse(request), limit_of(name)) else { continue };
        match limit {
            Some((_, limit)) if quantity::parse(limit).is_some_and(|limit| wanted > limit) => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                causes.push(Cause::invalid(format!("{field}.requests"), &request.into(), &detail));
            }
            None if is_extended(name) => {
                let detail = "Limit must be set for non overcommitable resources";
                causes.push(Cause::required(format!("{field}.limits"), detail));
            }
            _ => {}
        }
    }
    let all = || amounts(resources, "limits").chain(amounts(resources, "requests"));
    let huge = all().any(|(name, _)| name.starts_with("hugepages-"));
    if huge && !all().any(|(name, _)| name == "cpu" || name == "memory") {
        causes.push(Cause::forbidden(field, "HugePages require cpu or memory"));
    }
}

fn check_one(name: &str, value: &str, place: &str, causes: &mut Vec<Cause>) {
    if !name.contains('/') && !STANDARD.contains(&name) && !name.starts_with("hugepages-") {
        for detail in [
            "must be a standard resource type or fully qualified",
            "must be a standard resource for containers",
        ] {
            causes.push(Cause::invalid(place, &name.into(), detail));
        }
    }
    let Some(amount) = quantity::parse(value) else { return };
    if amount < 0 {
        causes.push(Cause::invalid(place, &value.into(), "must be greater than or equal to 0"));
    } else if is_extended(name) && amount % BILLION != 0 {
        causes.push(Cause::invalid(place, &value.into(), "must be an integer"));
    }
}

fn is_extended(name: &str) -> bool {
    name.contains('/')
}

fn amounts<'a>(resources: &'a Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = resources.get(kind).and_then(Value::as_object).into_iter().flatten();
    map.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}
