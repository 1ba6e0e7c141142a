//! Waits until somebody may do something: the real server hears of roles and bindings some time after they were made.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Run, request};
use crate::case::Step;

const REVIEW: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks as the user of a step, until the answer is the one that is waited for.
pub(super) async fn wait(run: &Run<'_>, step: &Step) -> Result<Value> {
    let (_, asked) = step.parts();
    let (verb, resource) = asked.split_once(' ').unwrap_or((asked, ""));
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
    // Users are no objects with parts: what follows is the name of one.
    let (part, name) = if resource == "users" { ("", part) } else { (part, "") };
    let attributes = json!({
        "verb": verb, "group": group, "resource": resource, "subresource": part, "name": name,
        "namespace": run.namespace,
    });
    let review = Step { r#do: REVIEW.to_owned(), ..step.clone() };
    let wanted = step.until.clone().unwrap_or(Value::Bool(true));
    loop {
        let body = json!({"spec": {"resourceAttributes": attributes}});
        let answer = request::send(run, &review, Some(body)).await?;
        ensure!(answer.code == 201, "the review was refused: {}", answer.body);
        if answer.body["status"]["allowed"] == wanted {
            return Ok(answer.body);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
