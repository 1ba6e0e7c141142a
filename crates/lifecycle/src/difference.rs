//! What a changed job file means for the job that runs: the same question for `diff` and for `apply`.

use std::collections::BTreeMap;

use flumen_model::{
    ArtifactUrl, Dependency, Digest, JobKind, JobSpec, MavenDependency, SavepointFormat,
    UpgradeMode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What it takes to carry a change out; later ones weigh more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing differs.
    NoOp,
    /// Only what Flumen does with the job is different: the job runs on.
    InPlace,
    /// The job is replaced by a new run, with its state.
    Restart,
    /// The new run may not get the state of the one before.
    StateAtRisk,
}

/// One place in which two job files differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which, as a path in the job file.
    pub field: String,
    /// What it was; none if it was not there.
    pub from: Option<String>,
    /// What it is to be; none if it is not there any more.
    pub to: Option<String>,
    /// What it takes.
    pub effect: Effect,
    /// Why the state is at risk, if it is.
    pub risk: Option<String>,
}

/// A job file with the digests of its artifacts by file name, but for those that the server fetches.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    /// The job file.
    pub spec: &'a JobSpec,
    /// The artifacts.
    pub artifacts: &'a [(String, Digest)],
}

/// The fields that say what Flumen does with the job, and nothing of the job itself.
const POLICIES: [&str; 5] =
    ["upgradeMode", "restartPolicy", "interventions", "leftovers", "allowNonRestoredState"];

/// The fields whose files are compared by content instead.
const FILES: [&str; 2] = ["artifact", "dependencies"];

const MAX_PARALLELISM: &str = "configuration.pipeline.max-parallelism";
const STATE_BACKENDS: [&str; 2] =
    ["configuration.state.backend", "configuration.state.backend.type"];

/// Whether changes to these fields are carried out without a new run; such fields are no part of a release.
pub fn is_policy(field: &str) -> bool {
    POLICIES.iter().any(|policy| {
        field.strip_prefix(policy).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Where two definitions of a job differ, by field.
pub fn differences(old: Definition<'_>, new: Definition<'_>) -> Vec<Difference> {
    let (before, after) = (fields(old), fields(new));
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let (from, to) = (before.get(name).cloned(), after.get(name).cloned());
            let risk = risk(name, old.spec, new.spec);
            let effect = match &risk {
                _ if is_policy(name) => Effect::InPlace,
                Some(_) => Effect::StateAtRisk,
                None => Effect::Restart,
            };
            let risk = risk.filter(|_| effect == Effect::StateAtRisk);
            Difference { field: name.clone(), from, to, effect, risk }
        })
        .collect()
}

/// What all of them take together.
pub fn effect(differences: &[Difference]) -> Effect {
    differences.iter().map(|one| one.effect).max().unwrap_or(Effect::NoOp)
}

fn risk(field: &str, old: &JobSpec, new: &JobSpec) -> Option<String> {
    let say = |text: &str| Some(text.to_owned());
    if new.upgrade_mode == UpgradeMode::Stateless {
        return say("upgradeMode stateless starts the new run with empty state");
    }
    if field == MAX_PARALLELISM {
        return say(
            "state that was written for one maximum parallelism is not restored with another",
        );
    }
    let canonical =
        SavepointFormat::standard(old.flink_version.minor()) == SavepointFormat::Canonical;
    if STATE_BACKENDS.contains(&field) && new.upgrade_mode == UpgradeMode::LastState {
        return say("a checkpoint is tied to its state backend; only a canonical savepoint is not");
    }
    if STATE_BACKENDS.contains(&field) && !canonical {
        return say(
            "a native savepoint is tied to its state backend; stop the job with --format canonical before",
        );
    }
    match field {
        "mainClass" | "module" => {
            say("another program may not have the operators whose state there is")
        }
        _ if is_script(field, new) => say(
            "a changed script may be planned as other operators, which do not find the state there is",
        ),
        "flinkVersion" if new.flink_version < old.flink_version => {
            say("an older Flink may not read the state of a newer one")
        }
        _ => None,
    }
}

/// Whether the field is the script of a SQL job, or is put into it.
fn is_script(field: &str, spec: &JobSpec) -> bool {
    let name = spec.artifact.rsplit('/').next();
    let is_it = field == "artifact"
        || field.strip_prefix("artifacts.") == name
        || field.starts_with("variables.");
    spec.kind == JobKind::Sql && is_it
}

fn fields(definition: Definition<'_>) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(Value::Object(spec)) = serde_json::to_value(definition.spec) {
        for (name, value) in spec {
            let uploaded = FILES.contains(&name.as_str()) && !definition.artifacts.is_empty();
            if !uploaded {
                flatten(&name, &value, &mut fields);
            }
        }
    }
    if !definition.artifacts.is_empty() {
        fetched(definition.spec, &mut fields);
    }
    for (name, digest) in definition.artifacts {
        fields.insert(format!("artifacts.{name}"), digest.to_string());
    }
    fields
}

/// What the server fetches: compared by what is asked for, as it is not fetched for that.
fn fetched(spec: &JobSpec, fields: &mut BTreeMap<String, String>) {
    if ArtifactUrl::is_meant(&spec.artifact) {
        fields.insert("artifact".to_owned(), spec.artifact.clone());
    }
    for dependency in &spec.dependencies {
        match dependency {
            Dependency::File(_) => {}
            Dependency::Maven(MavenDependency { maven, exclude, role }) => {
                let mut words = vec![role.as_str()];
                for one in exclude {
                    words.extend(["without", one]);
                }
                fields.insert(format!("dependencies.{maven}"), words.join(" "));
            }
            Dependency::Url(file) => {
                let digest = file.digest().map(Digest::as_str);
                let words: Vec<&str> = std::iter::once(file.role.as_str()).chain(digest).collect();
                fields.insert(format!("dependencies.{}", file.url.address()), words.join(" "));
            }
        }
    }
}

fn flatten(name: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&format!("{name}.{key}"), value, fields);
            }
        }
        Value::String(text) => {
            fields.insert(name.to_owned(), text.clone());
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            fields.insert(name.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(change: &str) -> JobSpec {
        let text = format!(
            r#"{{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"x/a.jar"{change}}}"#
        );
        serde_json::from_str(&text).expect("valid")
    }

    fn jar(digit: u8) -> Vec<(String, Digest)> {
        vec![("a.jar".to_owned(), Digest::from_sha256(&[digit; 32]))]
    }

    fn between(old: &str, new: &str) -> Vec<Difference> {
        let (old, new, jar) = (spec(old), spec(new), jar(1));
        differences(
            Definition { spec: &old, artifacts: &jar },
            Definition { spec: &new, artifacts: &jar },
        )
    }

    #[test]
    fn the_same_files_under_another_path_are_no_difference() {
        let (old, mut new) = (spec(""), spec(""));
        new.artifact = "elsewhere/a.jar".into();
        let jar = jar(1);
        let found = differences(
            Definition { spec: &old, artifacts: &jar },
            Definition { spec: &new, artifacts: &jar },
        );
        assert_eq!((effect(&found), found), (Effect::NoOp, vec![]));
    }

    #[test]
    fn each_change_takes_what_it_takes() {
        for (old, new, expected) in [
            ("", r#","upgradeMode":"last-state""#, Effect::InPlace),
            ("", r#","restartPolicy":{"attempts":5}"#, Effect::InPlace),
            ("", r#","parallelism":2"#, Effect::Restart),
            (r#","configuration":{"a.b":1}"#, r#","configuration":{"a.b":2}"#, Effect::Restart),
            ("", r#","configuration":{"pipeline.max-parallelism":64}"#, Effect::StateAtRisk),
            (
                r#","kind":"sql","variables":{"a":"1"}"#,
                r#","kind":"sql","variables":{"a":"2"}"#,
                Effect::StateAtRisk,
            ),
            ("", r#","mainClass":"b.B""#, Effect::StateAtRisk),
            ("", r#","parallelism":2,"upgradeMode":"stateless""#, Effect::StateAtRisk),
            ("", r#","configuration":{"state.backend.type":"rocksdb"}"#, Effect::Restart),
            (
                r#","upgradeMode":"last-state""#,
                r#","upgradeMode":"last-state","configuration":{"state.backend.type":"rocksdb"}"#,
                Effect::StateAtRisk,
            ),
        ] {
            let found = between(old, new);
            assert_eq!(effect(&found), expected, "{new}: {found:?}");
            let risky = found.iter().any(|one| one.risk.is_some());
            assert_eq!(risky, expected == Effect::StateAtRisk, "{new}");
        }
    }

    #[test]
    fn another_jar_is_named_with_both_digests() {
        let spec = spec("");
        let (old, new) = (jar(1), jar(2));
        let found = differences(
            Definition { spec: &spec, artifacts: &old },
            Definition { spec: &spec, artifacts: &new },
        );
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.field.as_str(), one.effect), ("artifacts.a.jar", Effect::Restart));
        assert_eq!(one.to, Some(new[0].1.to_string()));
    }

    #[test]
    fn another_script_puts_the_state_at_risk_and_another_connector_does_not() {
        let spec = spec(r#","kind":"sql""#);
        let artifacts = |script, connector| {
            let digest = |digit| Digest::from_sha256(&[digit; 32]);
            vec![("a.jar".to_owned(), digest(script)), ("b.jar".to_owned(), digest(connector))]
        };
        let to = |new: &[(String, Digest)]| {
            let old = artifacts(1, 1);
            let old = Definition { spec: &spec, artifacts: &old };
            effect(&differences(old, Definition { spec: &spec, artifacts: new }))
        };
        assert_eq!(to(&artifacts(2, 1)), Effect::StateAtRisk);
        assert_eq!(to(&artifacts(1, 2)), Effect::Restart);
    }

    #[test]
    fn files_that_the_server_fetches_are_compared_by_where_they_are() {
        let at = |version| {
            format!(r#","dependencies":[{{"url":"https://h/{version}/b.jar","role":"lib"}}]"#)
        };
        assert_eq!(between(&at(1), &at(1)), []);
        let fields: Vec<_> = between(&at(1), &at(2)).into_iter().map(|one| one.field).collect();
        let expected = ["dependencies.https://h/1/b.jar", "dependencies.https://h/2/b.jar"];
        assert_eq!(fields, expected);
        let script = |version| {
            let mut spec = spec(r#","kind":"sql""#);
            spec.artifact = format!("https://h/{version}/a.sql");
            spec
        };
        let none = [];
        let of = |spec| Definition { spec, artifacts: &none };
        let found = differences(of(&script(1)), of(&script(2)));
        assert_eq!((found.len(), effect(&found)), (1, Effect::StateAtRisk), "{found:?}");
    }

    #[test]
    fn a_field_that_is_new_or_gone_says_so() {
        let found = between(r#","parallelism":2"#, r#","arguments":["x"]"#);
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.field.as_str(), one.from.as_deref(), one.to.as_deref()))
            .collect();
        assert_eq!(told, [("arguments", None, Some(r#"["x"]"#)), ("parallelism", Some("2"), None)]);
    }
}
