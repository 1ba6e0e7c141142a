//! Pods, with the one word that says how they are.

use serde_json::Value;

use super::{AGE, Column, NAME, integer, list, or_none, since, string, text, wide};

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    text("Ready", |pod| ready(pod).into()),
    text("Status", |pod| status(pod).into()),
    text("Restarts", |pod| restarts(pod).into()),
    AGE,
    wide("IP", |pod| or_none(string(pod, "/status/podIP"))),
    wide("Node", |pod| or_none(string(pod, "/spec/nodeName"))),
    wide("Nominated Node", |pod| or_none(string(pod, "/status/nominatedNodeName"))),
    wide("Readiness Gates", |_| "<none>".into()),
];

fn ready(pod: &Value) -> String {
    let ready = list(pod, "/status/containerStatuses")
        .filter(|status| status["ready"] == true && status.pointer("/state/running").is_some());
    format!("{}/{}", ready.count(), list(pod, "/spec/containers").count())
}

fn restarts(pod: &Value) -> String {
    let statuses = || list(pod, "/status/containerStatuses");
    let count: i64 = statuses().map(|status| integer(status, "/restartCount")).sum();
    let last = statuses()
        .map(|status| string(status, "/lastState/terminated/finishedAt"))
        .max()
        .unwrap_or_default();
    if count == 0 || last.is_empty() {
        count.to_string()
    } else {
        format!("{count} ({} ago)", since(last))
    }
}

fn status(pod: &Value) -> String {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        let lost = string(pod, "/status/reason") == "NodeLost";
        return if lost { "Unknown".into() } else { "Terminating".into() };
    }
    initializing(pod).unwrap_or_else(|| running(pod))
}

/// How far the init containers are, unless they are done.
fn initializing(pod: &Value) -> Option<String> {
    let total = list(pod, "/spec/initContainers").count();
    for (position, status) in list(pod, "/status/initContainerStatuses").enumerate() {
        let reason = |state: &str| string(status, &format!("/state/{state}/reason")).to_owned();
        if let Some(terminated) = status.pointer("/state/terminated") {
            if integer(terminated, "/exitCode") == 0 {
                continue;
            }
            return Some(match reason("terminated") {
                reason if reason.is_empty() => format!("Init:{}", exit(terminated)),
                reason => format!("Init:{reason}"),
            });
        }
        let waiting = reason("waiting");
        if !waiting.is_empty() && waiting != "PodInitializing" {
            return Some(format!("Init:{waiting}"));
        }
        return Some(format!("Init:{position}/{total}"));
    }
    None
}

fn running(pod: &Value) -> String {
    let mut word = match string(pod, "/status/reason") {
        "" => string(pod, "/status/phase").to_owned(),
        reason => reason.to_owned(),
    };
    let statuses: Vec<&Value> = list(pod, "/status/containerStatuses").collect();
    let mut any_running = false;
    for status in statuses.iter().rev() {
        let waiting = string(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            waiting.clone_into(&mut word);
        } else if let Some(terminated) = status.pointer("/state/terminated") {
            word = match string(terminated, "/reason") {
                "" => exit(terminated),
                reason => reason.to_owned(),
            };
        } else if status["ready"] == true && status.pointer("/state/running").is_some() {
            any_running = true;
        }
    }
    if word == "Completed" && any_running {
        let ready =
            list(pod, "/status/conditions").any(|c| c["type"] == "Ready" && c["status"] == "True");
        word = if ready { "Running".into() } else { "NotReady".into() };
    }
    word
}

fn exit(terminated: &Value) -> String {
    match integer(terminated, "/signal") {
        0 => format!("ExitCode:{}", integer(terminated, "/exitCode")),
        signal => format!("Signal:{signal}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::status;

    #[test]
    fn the_status_says_what_matters_most() {
        let container = |state: Value| json!({"containerStatuses": [{"ready": false, "state": state}], "phase": "Pending"});
        for (pod, expected) in [
            (json!({"status": {"phase": "Pending"}}), "Pending"),
            (
                json!({"status": container(json!({"waiting": {"reason": "ImagePullBackOff"}}))}),
                "ImagePullBackOff",
            ),
            (json!({"status": container(json!({"terminated": {"exitCode": 3}}))}), "ExitCode:3"),
            (
                json!({"status": container(json!({"terminated": {"reason": "OOMKilled"}}))}),
                "OOMKilled",
            ),
            (
                json!({"spec": {"initContainers": [{}, {}]}, "status": {"phase": "Pending",
                    "initContainerStatuses": [{"state": {"terminated": {"exitCode": 0}}}, {"state": {"running": {}}}]}}),
                "Init:1/2",
            ),
            (
                json!({"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Running"}}),
                "Terminating",
            ),
        ] {
            assert_eq!(status(&pod), expected, "{pod}");
        }
    }
}
