//! Strategic merge patches: merge patches that know which lists have keys.

use std::collections::{HashMap, HashSet};

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
        let kept: HashSet<&str> = kept.iter().filter_map(Value::as_str).collect();
        target.retain(|key, _| kept.contains(key.as_str()));
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE_FROM)
            && let Some(list) = target.get_mut(field).and_then(Value::as_array_mut)
        {
            let gone: HashSet<&Value> = value.as_array().into_iter().flatten().collect();
            list.retain(|item| !gone.contains(item));
        }
    }
    let deletes = |value: &Value| {
        value.is_null() || value.get(DIRECTIVE).is_some_and(|directive| directive == "delete")
    };
    target.retain(|key, _| key.starts_with('$') || !patch.get(key).is_some_and(deletes));
    let set = |(key, value): &(&'a String, &'a Value)| !key.starts_with('$') && !deletes(value);
    for (key, value) in patch.iter().filter(set) {
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
            let known: HashSet<&Value> = target.iter().collect();
            let new: Vec<Value> =
                patch.iter().filter(|item| !known.contains(item)).cloned().collect();
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
    let target = merge_items(target, patch, key, names)?;
    let target = sorted_by(target, patch, &identity_of(merge));
    Ok(Value::Array(in_order(target, patch, &before, &identity_of(merge))))
}

/// The items of a list with those of a patch, which are told apart by a key.
fn merge_items<'a>(
    target: Vec<Value>,
    patch: &'a [Value],
    key: &str,
    names: &mut Vec<&'a str>,
) -> Result<Vec<Value>, String> {
    // Where all items of a key are, which may be several; what is taken out leaves a gap.
    let mut places: HashMap<Value, Vec<usize>> = HashMap::new();
    for (place, identity) in
        target.iter().enumerate().filter_map(|(at, it)| Some((at, it.get(key)?)))
    {
        places.entry(identity.clone()).or_default().push(place);
    }
    let mut target: Vec<Option<Value>> = target.into_iter().map(Some).collect();
    for item in patch {
        let Some(identity) = item.get(key) else {
            return Err(format!("map: {item} does not contain declared merge key: {key}"));
        };
        if item.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            for place in places.remove(identity).unwrap_or_default() {
                target[place] = None;
            }
            continue;
        }
        let known = places.get(identity).and_then(|places| places.first()).copied();
        let before = known.and_then(|place| target[place].clone());
        let merged = Some(merge_value(before, item, names)?);
        if let Some(place) = known {
            target[place] = merged;
        } else {
            places.insert(identity.clone(), vec![target.len()]);
            target.push(merged);
        }
    }
    Ok(target.into_iter().flatten().collect())
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
    let order = first_places(order, identity);
    list.sort_by_cached_key(|item| order.get(&identity(item)).copied().unwrap_or(usize::MAX));
    list
}

/// Where each of the items of a list stands first.
fn first_places(list: &[Value], identity: &dyn Fn(&Value) -> Value) -> HashMap<Value, usize> {
    let mut places = HashMap::new();
    for (place, item) in list.iter().enumerate() {
        places.entry(identity(item)).or_insert(place);
    }
    places
}

/// The items of a merged list: those of the patch as it has them, the others where they stood before, which is behind
/// whatever of the patch is new.
fn in_order(
    merged: Vec<Value>,
    patch: &[Value],
    before: &[Value],
    identity: &dyn Fn(&Value) -> Value,
) -> Vec<Value> {
    let named: HashSet<Value> = patch.iter().map(identity).collect();
    let places = first_places(before, identity);
    let place = |item: &Value| places.get(&identity(item)).copied();
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
    fn a_patch_of_many_items_is_over_in_a_moment() {
        let many = |value: &str| -> Vec<Value> {
            (0..60_000)
                .map(|number| json!({"name": format!("E{number}"), "value": value}))
                .collect()
        };
        let with = |env: Vec<Value>| json!({"spec": {"containers": [{"name": "one", "env": env}]}});
        // Where each is compared with all others, this is not over for minutes.
        let patched = apply(with(many("a")), &with(many("b"))).unwrap();
        assert_eq!(patched, with(many("b")));
        let finalizers = |letter: &str| -> Value {
            let names = (0..60_000).map(|number| json!(format!("e.com/{letter}{number}")));
            json!({"metadata": {"finalizers": names.collect::<Vec<Value>>()}})
        };
        let patched = apply(finalizers("a"), &finalizers("b")).unwrap();
        assert_eq!(patched["metadata"]["finalizers"].as_array().unwrap().len(), 120_000);
    }

    #[test]
    fn items_of_one_key_are_taken_out_together_and_come_again() {
        let target = json!({"spec": {"containers": [
            {"name": "a", "image": "1"}, {"name": "b"}, {"name": "a", "image": "2"}
        ]}});
        let patch = json!({"spec": {"containers": [
            {"name": "a", "$patch": "delete"}, {"name": "a", "image": "3"}
        ]}});
        let expected = json!([{"name": "a", "image": "3"}, {"name": "b"}]);
        assert_eq!(apply(target, &patch).unwrap()["spec"]["containers"], expected);
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let error = apply(pod(), &json!({"spec": {"containers": [{"image": "x"}]}})).unwrap_err();
        assert!(error.contains("does not contain declared merge key: name"), "{error}");
    }
}
