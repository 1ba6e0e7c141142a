use serde_json::{Value, json};

use super::{Author, apply, track_create, track_update};
use crate::resources::{Registry, Resource};

fn deployments() -> &'static Resource {
    Registry::global().find("apps", "v1", "deployments").unwrap()
}

fn author(manager: &str) -> Author<'_> {
    Author { manager, subresource: "" }
}

fn config(replicas: Option<u32>, containers: &Value) -> Value {
    let mut config = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": containers}}}
    });
    if let Some(replicas) = replicas {
        config["spec"]["replicas"] = replicas.into();
    }
    config
}

/// Applies and notes the managers, as a request does.
fn applied(
    live: &Value,
    config: &Value,
    manager: &str,
    force: bool,
) -> Result<Value, Vec<(String, String)>> {
    let applied = apply(deployments(), live, config, &author(manager), force)?;
    let mut object = applied.object.clone();
    applied.note_managers(&mut object, live);
    Ok(object)
}

fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            format!(
                "{} {}",
                entry["manager"].as_str().unwrap(),
                entry["operation"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn fields_are_written_as_the_real_server_writes_them() {
    let live =
        applied(&json!({}), &config(Some(2), &json!([{"name": "x", "image": "i"}])), "one", false)
            .unwrap();
    assert_eq!(
        live["metadata"]["managedFields"][0]["fieldsV1"],
        json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
            "k:{\"name\":\"x\"}": {".": {}, "f:image": {}, "f:name": {}}
        }}}}})
    );
}

#[test]
fn what_is_left_out_of_the_next_apply_is_removed() {
    let both = json!([{"name": "x", "image": "i"}, {"name": "y", "image": "j"}]);
    let live = applied(&json!({}), &config(Some(2), &both), "one", false).unwrap();
    let live = applied(&live, &config(None, &json!([{"name": "x"}])), "one", false).unwrap();
    assert_eq!(live["spec"]["template"]["spec"]["containers"], json!([{"name": "x"}]));
    assert_eq!(live["spec"].get("replicas"), None);
}

#[test]
fn what_somebody_else_also_wants_stays() {
    let containers = json!([{"name": "x", "image": "i"}]);
    let live = applied(&json!({}), &config(Some(2), &containers), "one", false).unwrap();
    let live = applied(&live, &config(Some(2), &containers), "two", false).unwrap();
    let live = applied(&live, &config(None, &containers), "one", false).unwrap();
    assert_eq!(live["spec"]["replicas"], 2);
    let live = applied(&live, &config(None, &containers), "two", false).unwrap();
    assert_eq!(live["spec"].get("replicas"), None);
}

#[test]
fn another_value_for_a_field_of_somebody_else_is_a_conflict_unless_forced() {
    let containers = json!([{"name": "x", "image": "i"}]);
    let live = applied(&json!({}), &config(Some(2), &containers), "one", false).unwrap();
    let other = config(Some(3), &json!([{"name": "x", "image": "k"}]));
    let conflicts = applied(&live, &other, "two", false).unwrap_err();
    assert_eq!(
        conflicts,
        [
            ("\"one\"".to_owned(), ".spec.replicas".to_owned()),
            ("\"one\"".to_owned(), ".spec.template.spec.containers[name=\"x\"].image".to_owned())
        ]
    );
    let live = applied(&live, &other, "two", true).unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    // What was taken is no longer the first one's to remove.
    let live = applied(&live, &config(None, &json!([])), "one", false).unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "k");
}

#[test]
fn an_update_takes_the_fields_that_it_changes() {
    let mut live = config(Some(2), &json!([{"name": "x", "image": "i"}]));
    track_create(deployments(), &mut live, &author("creator"));
    let mut scaled = live.clone();
    scaled["spec"]["replicas"] = 5.into();
    track_update(deployments(), &mut scaled, &live, &author("scaler"));
    assert_eq!(managers(&scaled), ["creator Update", "scaler Update"]);
    assert_eq!(
        scaled["metadata"]["managedFields"][1]["fieldsV1"],
        json!({"f:spec": {"f:replicas": {}}})
    );
    assert!(
        scaled["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"].get("f:replicas").is_none()
    );
    let conflicts = applied(&scaled, &config(Some(1), &json!([])), "one", false).unwrap_err();
    assert_eq!(conflicts, [("\"scaler\" using apps/v1".to_owned(), ".spec.replicas".to_owned())]);
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let wanted = config(Some(2), &json!([{"name": "x", "image": "i"}]));
    let live = applied(&json!({}), &wanted, "one", false).unwrap();
    assert_eq!(applied(&live, &wanted, "one", false).unwrap(), live);
}

#[test]
fn many_items_of_a_list_are_told_apart_in_a_moment() {
    let with = |count: usize, value: &str| {
        let one = |number| json!({"name": format!("E{number}"), "value": value});
        let env: Vec<Value> = (0..count).map(one).collect();
        json!({"spec": {"containers": [{"name": "x", "env": env}]}})
    };
    // Where each is compared with all others, this is not over for minutes.
    // Of each variable there is the item, its name and its value.
    assert!(super::leaves::of(&with(60_000, "a")).len() > 180_000);
    let (live, wanted) = (with(10_000, "a"), with(10_000, "b"));
    let applied = apply(deployments(), &live, &wanted, &author("one"), true).unwrap();
    assert_eq!(applied.object, wanted);
}
