use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::Context;
use serde_json::Value;

/// What each crate may depend on among ours, besides what is said of it here: `(crate, allowed)`.
/// Development dependencies are free, except that nothing of ring 0 may have one of another ring.
const ARROWS: &[(&str, &[&str])] = &[
    // Ring 0: values.
    ("model", &[]),
    ("flink-conf", &["model"]),
    ("flink-manifest", &["model", "flink-conf"]),
    ("job-file", &["model", "flink-conf"]),
    ("sql", &["model", "flink-conf"]),
    ("javac", &[]),
    ("sql-runner", &[]),
    ("fetcher", &["model"]),
    ("jar", &["model"]),
    ("project", &["model"]),
    ("cluster", &["model"]),
    ("maven-version", &[]),
    ("release-policy", &["maven-version"]),
    ("lifecycle", &["model"]),
    ("api-types", &["model"]),
    ("faults", &[]),
    // Ring 1: one outside system each, never on each other.
    ("k8s", &["model", "cluster", "faults"]),
    ("flink-rest", &["model"]),
    ("flink-dist", &["model"]),
    ("image", &["model"]),
    ("maven", &["model", "maven-version"]),
    ("storage", &["model"]),
    ("python", &["model"]),
    ("store", &["model", "lifecycle", "faults"]),
    // Ring 2: where decisions meet effects, and the edges.
    (
        "control",
        &[
            "model",
            "flink-conf",
            "flink-manifest",
            "lifecycle",
            "k8s",
            "flink-rest",
            "flink-dist",
            "image",
            "storage",
            "store",
            "faults",
            "fetcher",
            "sql",
            "sql-runner",
            "jar",
            "release-policy",
            "cluster",
            "maven",
            "project",
            "python",
        ],
    ),
    ("api", &["model", "api-types", "control", "lifecycle"]),
    ("cli", &["model", "cluster", "flink-conf", "api-types", "job-file"]),
    (
        "tools",
        &[
            "model",
            "flink-conf",
            "flink-manifest",
            "job-file",
            "sql",
            "sql-runner",
            "jar",
            "release-policy",
            "image",
            "k8s",
            "maven",
            "python",
        ],
    ),
    ("flink-cli", &["model", "flink-conf", "flink-manifest", "k8s", "flink-rest"]),
    // The local cluster, which knows nothing of Flink.
    ("quota", &[]),
    ("apiserver", &["quota"]),
    ("controllers", &["quota"]),
    ("registry", &[]),
    ("kubelet", &["image"]),
    ("localcluster", &["apiserver", "controllers", "kubelet", "registry"]),
    // Tools for tests.
    ("conformance", &["model", "cluster", "k8s", "apiserver", "controllers"]),
    ("testkit", &["model"]),
    ("e2e", &[]),
    ("bench", &["model", "flink-conf", "flink-manifest", "image", "conformance", "e2e"]),
];

/// Libraries that only these crates may name; elsewhere their types would spread.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("kube", &["k8s", "controllers", "kubelet", "localcluster", "bench", "conformance"]),
    ("sqlx", &["store"]),
    ("oci-spec", &["image"]),
    ("object_store", &["storage"]),
    ("docker_credential", &["image"]),
    ("rtnetlink", &["kubelet"]),
    ("comfy-table", &["cli"]),
    ("roxmltree", &["maven"]),
    ("spdx", &["release-policy"]),
    ("pep440_rs", &["python"]),
    ("pep508_rs", &["python"]),
];

/// Libraries that do IO or look at the clock: not in ring 0.
const NOT_IN_RING_0: &[&str] =
    &["tokio", "reqwest", "kube", "sqlx", "clap", "axum", "hyper", "tempfile", "nix", "rustix"];
const RING_0: &[&str] = &[
    "model",
    "flink-conf",
    "flink-manifest",
    "job-file",
    "sql",
    "sql-runner",
    "fetcher",
    "jar",
    "project",
    "cluster",
    "maven-version",
    "release-policy",
    "lifecycle",
    "api-types",
    "faults",
];

/// The composition root, which may see everything.
const ROOT: &str = "flumen";

pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("could not run cargo metadata")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON")?;
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = short(package["name"].as_str().unwrap_or_default());
        let dependencies = normal_dependencies(package);
        if name == ROOT || name == "xtask" {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            problems.push(format!(
                "crate {name} stands in no ring: add it to crates/xtask/src/arrows.rs"
            ));
            continue;
        };
        for dependency in dependencies {
            problems.extend(judge(name, dependency, allowed));
        }
    }
    Ok(problems)
}

fn judge(name: &str, dependency: &str, allowed: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(ours) = dependency.strip_prefix("flumen-").filter(|ours| !allowed.contains(ours)) {
        problems.push(format!("{name} may not depend on {ours}"));
    }
    if RING_0.contains(&name) && NOT_IN_RING_0.contains(&dependency) {
        problems.push(format!("{name} is of ring 0 and may not depend on {dependency}"));
    }
    let wrappers = WRAPPERS.iter().find(|(library, _)| *library == dependency);
    if let Some((library, wrappers)) = wrappers.filter(|(_, wrappers)| !wrappers.contains(&name)) {
        problems.push(format!("{name} may not name {library}; use {}", wrappers.join(" or ")));
    }
    problems
}

fn normal_dependencies(package: &Value) -> Vec<&str> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies
        .filter(|one| one["kind"].is_null())
        .filter_map(|one| one["name"].as_str())
        .collect()
}

fn short(name: &str) -> &str {
    name.strip_prefix("flumen-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_is_not_drawn_is_refused() {
        assert_eq!(judge("api", "flumen-store", &["control"]), ["api may not depend on store"]);
        assert_eq!(judge("api", "flumen-control", &["control"]), [""; 0]);
    }

    #[test]
    fn ring_0_does_no_io() {
        assert_eq!(judge("lifecycle", "tokio", &[]).len(), 1);
        assert_eq!(judge("k8s", "tokio", &[]), [""; 0]);
    }

    #[test]
    fn a_wrapped_library_is_named_by_its_wrapper_only() {
        assert_eq!(
            judge("control", "kube", &[]),
            [
                "control may not name kube; use k8s or controllers or kubelet or localcluster or bench or conformance"
            ]
        );
        assert_eq!(judge("k8s", "kube", &[]), [""; 0]);
    }
}
