//! A line with the kind of a patch and the place of an object, a line with the object and the patch. What is stored afterwards can be
//! written back as it was read and applied again, and neither changes it.
#![no_main]

use flumen_fuzz::{Answer, Server};
use libfuzzer_sys::fuzz_target;

/// Collections of kinds with rules of their own, with the name of what is made there.
const PLACES: [&str; 8] = [
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/apis/apps/v1/namespaces/default/deployments",
    "/api/v1/namespaces/default/persistentvolumeclaims",
    "/api/v1/nodes",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
];
const KINDS: [&str; 4] = ["json", "merge", "strategic", "apply"];

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(first), Some(object), Some(patch)) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    let Some((kind, place)) = first.split_once(' ') else { return };
    let Some(collection) = place.parse().ok().and_then(|place: usize| PLACES.get(place)) else {
        return;
    };
    if !KINDS.contains(&kind) {
        return;
    }
    Server::with(|server| {
        let one = format!("{collection}/a");
        server.json("DELETE", &format!("{one}?gracePeriodSeconds=0"), "");
        if server.json("POST", collection, object).is_none_or(|answer| answer.status != 201) {
            return;
        }
        change(server, kind, &one, patch);
        let Some(Answer { status: 200, text: stored }) = server.json("GET", &one, "") else { return };
        if let Some(Answer { status, text }) = server.json("PUT", &one, &stored) {
            assert!(status != 200 || text == stored, "{stored}\nbecame\n{text}");
        }
        if kind == "apply" {
            change(server, kind, &one, patch);
            let again = server.json("GET", &one, "").map(|answer| answer.text);
            assert!(again.as_ref() == Some(&stored), "{stored}\nbecame\n{again:?}");
        }
    });
});

fn change(server: &Server, kind: &str, one: &str, patch: &str) -> Option<Answer> {
    let (media_type, target) = match kind {
        "json" => ("application/json-patch+json", one.to_owned()),
        "merge" => ("application/merge-patch+json", one.to_owned()),
        "strategic" => ("application/strategic-merge-patch+json", one.to_owned()),
        _ => ("application/apply-patch+yaml", format!("{one}?fieldManager=fuzz&force=true")),
    };
    server.send("PATCH", &target, [("content-type", media_type)].into_iter(), patch.into())
}
