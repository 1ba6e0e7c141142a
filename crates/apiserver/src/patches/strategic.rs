//! Strategic merge patches: merge patches that know which lists have keys.

use serde_json::{Map, Value};

use super::schema::{self, Merge};

const DIRECTIVE: &str = "$patch";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";
const RETAIN: &str = "$retainKeys";

/// Applies a patch to an object.
pub(crate) fn apply(target: Value, patch: &Value) -> Result<Value, String> {
    let Value::Object(patch) = patch else {
        return Err("a strategic merge patch must be an object".into());
    };
    let target = match target {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    merge_object(target, patch, &mut Vec::new()).map(Value::Object)
}

fn merge_object<'a>(
    mut target: Map<String, Value>,
    patch: &'a Map<String, Value>,
    names: &mut Vec<&'a str>,
) -> Result<Map<String, Value>, String> {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => return Ok(without_directives(patch)),
        Some("delete") => return Ok(Map::new()),
        Some("merge") | None => {}
        Some(other) => return Err(format!("Unknown patch type found: {other}")),
    }
    let known = target.clone();
    if let Some(kept) = patch.get(RETAIN).and_then(Value::as_array) {
        target.retain(|key, _| kept.iter().any(|name| name == key));
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE_FROM)
            && let Some(list) = target.get_mut(field).and_then(Value::as_array_mut)
        {
            let gone = value.as_array().map(Vec::as_slice).unwrap_or_default();
            list.retain(|item| !gone.contains(item));
        }
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        if value.is_null() || value.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            target.shift_remove(key);
            continue;
        }
        names.push(key);
        let before = target.get(key).cloned();
        let merged = merge_value(before, value, names);
        names.pop();
        target.insert(key.clone(), merged?);
    }
    for (key, order) in patch {
        if let (Some(field), Some(order)) = (key.strip_prefix(ORDER), order.as_array()) {
            names.push(field);
            let merge = schema::of_list(names);
            names.pop();
            let before = known.get(field).and_then(Value::as_array);
            if let Some(list) = target.get_mut(field).and_then(Value::as_array_mut) {
                let items = std::mem::take(list);
                let sorted = sorted_by(items, order, &identity_of(merge));
                *list = in_order(sorted, order, before.unwrap_or(&Vec::new()), &identity_of(merge));
            }
        }
    }
    Ok(target)
}

fn merge_value<'a>(
    before: Option<Value>,
    patch: &'a Value,
    names: &mut Vec<&'a str>,
) -> Result<Value, String> {
    match (before, patch) {
        (Some(Value::Object(target)), Value::Object(patch)) => {
            merge_object(target, patch, names).map(Value::Object)
        }
        (_, Value::Object(patch)) => merge_object(Map::new(), patch, names).map(Value::Object),
        (Some(Value::Array(target)), Value::Array(patch)) => merge_list(target, patch, names),
        (_, Value::Array(patch)) => merge_list(Vec::new(), patch, names),
        (_, other) => Ok(other.clone()),
    }
}

fn merge_list<'a>(
    mut target: Vec<Value>,
    patch: &'a [Value],
    names: &mut Vec<&'a str>,
) -> Result<Value, String> {
    let merge = schema::of_list(names);
    let before = target.clone();
    let key = match merge {
        Merge::Keys([key, ..]) => *key,
        Merge::Set => {
            let new: Vec<Value> =
                patch.iter().filter(|item| !target.contains(item)).cloned().collect();
            target.extend(new);
            let target = sorted_by(target, patch, &identity_of(merge));
            return Ok(Value::Array(in_order(target, patch, &before, &identity_of(merge))));
        }
        Merge::Atomic | Merge::Fields | Merge::Keys([]) => return Ok(Value::Array(patch.to_vec())),
    };
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        let kept = patch.iter().filter(|item| directive(item).as_deref() != Some("replace"));
        return Ok(Value::Array(kept.cloned().collect()));
    }
    for item in patch {
        let Some(identity) = item.get(key) else {
            return Err(format!("map: {item} does not contain declared merge key: {key}"));
        };
        let place = target.iter().position(|existing| existing.get(key) == Some(identity));
        if directive(item).as_deref() == Some("delete") {
            target.retain(|existing| existing.get(key) != Some(identity));
            continue;
        }
        let before = place.map(|place| target[place].clone());
        let merged = merge_value(before, item, names)?;
        match place {
            Some(place) => target[place] = merged,
            None => target.push(merged),
        }
    }
    let target = sorted_by(target, patch, &identity_of(merge));
    Ok(Value::Array(in_order(target, patch, &before, &identity_of(merge))))
}

/// By what items of a list are told apart.
fn identity_of(merge: Merge) -> impl Fn(&Value) -> Value {
    move |item| match merge {
        Merge::Keys([key, ..]) => item.get(*key).cloned().unwrap_or_default(),
        _ => item.clone(),
    }
}

/// The items that an order names in that order, before the others.
fn sorted_by(
    mut list: Vec<Value>,
    order: &[Value],
    identity: &dyn Fn(&Value) -> Value,
) -> Vec<Value> {
    let order: Vec<Value> = order.iter().map(identity).collect();
    list.sort_by_key(|item| {
        let own = identity(item);
        order.iter().position(|wanted| *wanted == own).unwrap_or(order.len())
    });
    list
}

/// The items of a merged list: those of the patch as it has them, the others where they stood before, which is behind
/// whatever of the patch is new.
fn in_order(
    merged: Vec<Value>,
    patch: &[Value],
    before: &[Value],
    identity: &dyn Fn(&Value) -> Value,
) -> Vec<Value> {
    let named: Vec<Value> = patch.iter().map(identity).collect();
    let place = |item: &Value| before.iter().position(|known| identity(known) == identity(item));
    let (patched, others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| named.contains(&identity(item)));
    let mut others = others.into_iter().peekable();
    let mut list = Vec::new();
    for item in patched {
        let own = place(&item);
        while let Some(other) =
            others.next_if(|other| own.zip(place(other)).is_some_and(|(own, it)| it < own))
        {
            list.push(other);
        }
        list.push(item);
    }
    list.extend(others);
    list
}

fn without_directives(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(key, _)| !key.starts_with('$'))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::apply;

    fn pod() -> Value {
        json!({"metadata": {"finalizers": ["a"]}, "spec": {
            "containers": [
                {"name": "one", "image": "i:1", "args": ["x"], "env": [{"name": "A", "value": "1"}]},
                {"name": "two", "image": "j:1"}
            ],
            "nodeSelector": {"disk": "ssd"},
            "affinity": {"x": "y"}
        }})
    }

    #[test]
    fn lists_with_keys_are_merged_and_others_replaced() {
        let patch = json!({"metadata": {"finalizers": ["b"]}, "spec": {"containers": [
            {"name": "one", "args": ["y"], "env": [{"name": "B", "value": "2"}]},
            {"name": "three", "image": "k"}
        ]}});
        let patched = apply(pod(), &patch).unwrap();
        assert_eq!(patched["metadata"]["finalizers"], json!(["b", "a"]));
        let containers = &patched["spec"]["containers"];
        assert_eq!(
            containers[0],
            json!({"name": "one", "image": "i:1", "args": ["y"],
            "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]})
        );
        assert_eq!(containers[1]["name"], "three");
        assert_eq!(containers.as_array().unwrap().len(), 3);
    }

    #[test]
    fn directives_delete_replace_and_order() {
        let patch = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]},
            "spec": {
                "$setElementOrder/containers": [{"name": "three"}, {"name": "two"}],
                "containers": [{"name": "one", "$patch": "delete"}, {"name": "three"}],
                "nodeSelector": {"$patch": "replace", "zone": "b"},
                "affinity": {"$patch": "delete"}
            }
        });
        let patched = apply(pod(), &patch).unwrap();
        assert_eq!(patched["metadata"]["finalizers"], json!([]));
        assert_eq!(
            patched["spec"]["containers"],
            json!([{"name": "three"}, {"name": "two", "image": "j:1"}])
        );
        assert_eq!(patched["spec"]["nodeSelector"], json!({"zone": "b"}));
        assert_eq!(patched["spec"].get("affinity"), None);
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let error = apply(pod(), &json!({"spec": {"containers": [{"image": "x"}]}})).unwrap_err();
        assert!(error.contains("does not contain declared merge key: name"), "{error}");
    }
}
