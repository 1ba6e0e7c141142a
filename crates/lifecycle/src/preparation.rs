//! What is to be done before the release of a job file can be made.

use flumen_model::{ArtifactRole, ArtifactUrl, Dependency, JobKind, JobSpec};

/// A step on the way to a release. Each can be done again with the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// Have the files that are named by URL.
    FetchFiles,
    /// Find out which artifacts the Maven coordinates need.
    Resolve,
    /// Have the files of those.
    Fetch,
    /// Find out which wheels the requirements of a Python job come to.
    ResolveRequirements,
    /// Have those.
    FetchWheels,
    /// See whether Flink can take the SQL script, and add what runs it.
    CheckScript,
    /// See whether the jars go with each other and with the image's Flink.
    CheckJars,
    /// Make the release, and start the job where that was asked.
    Release,
}

impl Preparation {
    /// The name of the step.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FetchFiles => "fetch-files",
            Self::Resolve => "resolve-dependencies",
            Self::Fetch => "fetch-dependencies",
            Self::ResolveRequirements => "resolve-requirements",
            Self::FetchWheels => "fetch-wheels",
            Self::CheckScript => "check-script",
            Self::CheckJars => "check-jars",
            Self::Release => "make-release",
        }
    }
}

/// The steps to the release of a job file, in their order; none where it can be made at once.
pub fn preparation(spec: &JobSpec) -> Vec<Preparation> {
    let is_maven = |one: &Dependency| matches!(one, Dependency::Maven(_));
    // What a project made is there already.
    let is_fetched =
        |one: &Dependency| matches!(one, Dependency::Url(file) if file.url.in_project().is_none());
    let mut steps = Vec::new();
    let is_main_fetched = ArtifactUrl::is_meant(&spec.artifact)
        && !spec.artifact.parse::<ArtifactUrl>().is_ok_and(|url| url.in_project().is_some());
    if is_main_fetched || spec.dependencies.iter().any(is_fetched) {
        steps.push(Preparation::FetchFiles);
    }
    if spec.dependencies.iter().any(is_maven) {
        steps.extend([Preparation::Resolve, Preparation::Fetch]);
    }
    if spec.dependencies.iter().any(|one| one.role() == ArtifactRole::Requirements) {
        steps.extend([Preparation::ResolveRequirements, Preparation::FetchWheels]);
    }
    // After the files are there: they may bring what the script needs.
    if spec.kind == JobKind::Sql {
        steps.push(Preparation::CheckScript);
    }
    if !steps.is_empty() {
        steps.extend([Preparation::CheckJars, Preparation::Release]);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> Vec<&'static str> {
        let text = format!(
            r#"{{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"a"{more}}}"#
        );
        let spec: JobSpec = serde_json::from_str(&text).expect("valid");
        preparation(&spec).into_iter().map(Preparation::name).collect()
    }

    #[test]
    fn only_what_cannot_be_known_at_once_is_prepared() {
        assert_eq!(of(""), [""; 0]);
        assert_eq!(of(r#","dependencies":[{"path":"b.jar"}]"#), [""; 0]);
        let resolved = ["resolve-dependencies", "fetch-dependencies", "check-jars", "make-release"];
        assert_eq!(of(r#","dependencies":[{"path":"b.jar"},{"maven":"g:a:1"}]"#), resolved);
        assert_eq!(of(r#","kind":"sql""#), ["check-script", "check-jars", "make-release"]);
        let both = [
            "resolve-dependencies",
            "fetch-dependencies",
            "check-script",
            "check-jars",
            "make-release",
        ];
        assert_eq!(of(r#","kind":"sql","dependencies":[{"maven":"g:a:1"}]"#), both);
        let python = ["resolve-requirements", "fetch-wheels", "check-jars", "make-release"];
        let requirements =
            r#","kind":"python","dependencies":[{"path":"r.txt","role":"requirements"}]"#;
        assert_eq!(of(requirements), python);
        let files = ["fetch-files", "check-jars", "make-release"];
        assert_eq!(of(r#","dependencies":[{"url":"https://example.com/b.jar"}]"#), files);
        assert_eq!(of(r#","dependencies":[{"url":"project://udf"}]"#), [""; 0]);
    }
}
