use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    fake::{Answer, Fake, done},
    tables::job,
};

const PATH: &str = "/api/v1/environments/local/jobs/word-count";
const FIRST: &str = "sha256:0f1e46b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7";
/// The release of the job that the fake server has.
const SECOND: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

fn release(number: u64, id: &str) -> Value {
    json!({
        "id": format!("{id:0<71}"), "number": number, "createdAt": "2026-11-20T11:00:00Z", "createdBy": "ann",
        "flinkVersion": "1.20.5",
        "artifacts": [
            {"name": "word-count.jar", "digest": SECOND, "size": 31_457_280, "role": "usrlib"},
            {"name": "flink-sql-connector-kafka-3.4.0-1.20.jar", "digest": SECOND, "size": 5_700_000, "role": "lib"},
        ],
        "job": {
            "name": "word-count", "parallelism": number,
            "configuration": {"s3.secret-key": "hidden", "taskmanager.numberOfTaskSlots": 2},
        },
    })
}

fn server() -> Fake {
    let diff = json!({
        "job": {"environment": "local", "name": "word-count"}, "from": 1, "to": 2, "effect": "restart",
        "changes": [{"field": "parallelism", "from": "1", "to": "2", "effect": "restart"}],
    });
    let list = json!({"items": [release(2, SECOND), release(1, FIRST)]});
    let shown = job("RUNNING", &json!({}));
    let applied = json!({"job": shown, "change": "configured"});
    let sbom = move || async move {
        (
            [("content-type", "application/spdx+json")],
            json!({"spdxVersion": "SPDX-2.3"}).to_string(),
        )
    };
    let roll_back = |Json(body): Json<Value>| async move {
        let is_right = body == json!({"release": 1, "start": false, "force": true});
        (if is_right { StatusCode::OK } else { StatusCode::BAD_REQUEST }, Json(applied))
    };
    let routes = Router::new()
        .route(PATH, get(move || async move { Json(shown) }))
        .route(&format!("{PATH}/releases"), get(move || async move { Json(list) }))
        .route(&format!("{PATH}/releases/2"), get(move || async move { Json(release(2, SECOND)) }))
        .route(&format!("{PATH}/releases/2/diff"), get(move || async move { Json(diff) }))
        .route(&format!("{PATH}/releases/2/sbom"), get(sbom))
        .route(&format!("{PATH}/rollback"), post(roll_back));
    Fake::serve(routes)
}

fn printed(line: &[&str]) -> String {
    let Answer { code, output, errors } = server().run(line);
    assert_eq!((code, errors.as_str()), (done(), ""));
    output
}

#[test]
fn releases_are_listed_shown_and_compared() {
    insta::assert_snapshot!(printed(&["release", "list", "word-count"]));
    let shown = printed(&["release", "show", "word-count", "2"]);
    assert!(!shown.contains("hidden"), "{shown}");
    insta::assert_snapshot!(shown);
    let compared = printed(&["release", "diff", "word-count", "1", "2"]);
    insta::assert_snapshot!(compared);
    assert_eq!(printed(&["release", "diff", "word-count", "1"]), compared, "with the job's own");
}

#[test]
fn what_a_release_is_made_of_is_one_document_with_either_output() {
    let line = ["release", "sbom", "word-count", "2"];
    let document = printed(&line);
    assert_eq!(document, "{\n  \"spdxVersion\": \"SPDX-2.3\"\n}\n");
    assert_eq!(printed(&[&line[..], &["--output", "json"]].concat()), document);
    let Answer { code, output, errors } = server().run(&["release", "sbom", "word-count", "7"]);
    assert_ne!(code, done());
    assert_eq!(output, "");
    assert!(
        errors.contains("list what release 7 of the job local/word-count is made of"),
        "{errors}"
    );
}

#[test]
fn going_back_says_what_became_of_the_job() {
    let line = ["job", "rollback", "word-count", "--release", "1", "--no-start", "--force"];
    assert_eq!(printed(&line), "The job local/word-count was changed.\n");
}

#[test]
fn what_is_removed_kept_and_refused_is_told_apart() {
    let items = json!([
        {"kind": "release", "name": "local/word-count 3", "bytes": 0, "fate": "removed"},
        {"kind": "artifact", "name": SECOND, "bytes": 31_457_280, "fate": "removed"},
        {"kind": "image", "name": "localhost:5000/flumen/a@sha256:1", "bytes": 10, "fate": "kept", "reason": "registry localhost:5000 refused"},
    ]);
    let prune = |Json(body): Json<Value>| async move {
        Json(json!({"dryRun": body["dryRun"], "items": items}))
    };
    let removals = json!({"items": [
        {"at": "2026-11-20T11:00:00Z", "kind": "artifact", "name": SECOND, "bytes": 31_457_280},
    ]});
    let list = move || async move { Json(removals) };
    let server = Fake::serve(Router::new().route("/api/v1/removals", post(prune).get(list)));
    let printed = |line: &[&str]| {
        let Answer { code, output, errors } = server.run(line);
        assert_eq!((code, errors.as_str()), (done(), ""));
        output
    };
    insta::assert_snapshot!(printed(&["release", "prune"]));
    let planned = printed(&["release", "prune", "--dry-run"]);
    assert!(planned.ends_with("2 things, 31.5 MB, would be removed.\n"), "{planned}");
    insta::assert_snapshot!(printed(&["release", "removals"]));
}
