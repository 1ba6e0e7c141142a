//! A line each with a label selector, a field selector and a quantity, as requests have them.
#![no_main]

use flumen_fuzz::Server;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (labels, fields, quantity) = (encode(next()), encode(next()), next());
    Server::with(|server| {
        server.json("GET", &format!("/api/v1/pods?labelSelector={labels}&fieldSelector={fields}"), "");
        // What is taken as a quantity is written in a form that is taken again, and stays as it is.
        let pod = |quantity: &str| {
            let quantity = serde_json::Value::from(quantity);
            format!(
                r#"{{"metadata":{{"name":"q"}},"spec":{{"containers":[{{"name":"c","image":"i","resources":{{"limits":{{"memory":{quantity}}}}}}}]}}}}"#
            )
        };
        let Some(first) = create(server, &pod(quantity)) else { return };
        let again = create(server, &pod(&first));
        assert_eq!(again.as_ref(), Some(&first), "{quantity:?}");
    });
});

/// The limit that a pod has when it is taken.
fn create(server: &Server, pod: &str) -> Option<String> {
    let target = "/api/v1/namespaces/default/pods?dryRun=All";
    let answer = server.json("POST", target, pod).filter(|answer| answer.status == 201)?;
    let pod: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
    let limit = pod.pointer("/spec/containers/0/resources/limits/memory")?;
    limit.as_str().map(str::to_owned)
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
