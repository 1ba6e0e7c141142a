//! SQL jobs: from the script to the files that run it.

use std::io;

use bytes::Bytes;
use flumen_model::{ArtifactRole, JobSpec};
use flumen_sql::{
    Finding, Resolved, Script, SecretReference, Severity, Target, check, resolve, runner_file,
    uses_python,
};
use flumen_sql_runner::{FILE_NAME, JAR, JAR_NAME};
use flumen_store::{Environment, ReleaseArtifact, ScriptNeeds};
use futures::stream;

use super::python::{check_image, is_for_python};
use crate::{Control, Error, artifacts::is_jar, identity, script_secrets, text};

/// The largest script that is read, in bytes.
const MAX_SCRIPT: u64 = 4 << 20;
/// The most errors of a script that are told at once.
const MAX_TOLD: usize = 10;

/// A script that Flink can take, as far as can be said without it.
#[derive(Debug)]
pub(crate) struct CheckedScript {
    /// What is doubtful about it.
    pub(crate) warnings: Vec<String>,
    /// What it needs of the pods.
    pub(crate) needs: ScriptNeeds,
    statements: usize,
}

impl CheckedScript {
    pub(crate) fn describe(&self) -> String {
        let statements = text::count(self.statements, "statement");
        match self.warnings.len() {
            0 => statements,
            doubtful => format!("{statements}, {}", text::count(doubtful, "warning")),
        }
    }
}

impl Control {
    /// Checks the script of a SQL job, with the values of its variables, and adds what runs it: the runner, and the script
    /// as the runner reads it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a script that Flink would refuse, or that was not uploaded as a script;
    /// [`Error::NotFound`] for a secret that is not there.
    pub(crate) async fn prepare_sql(
        &self,
        spec: &JobSpec,
        artifacts: &mut Vec<ReleaseArtifact>,
    ) -> Result<CheckedScript, Error> {
        let Some(script) = artifacts.first().filter(|one| one.role == ArtifactRole::Script) else {
            let message = format!(
                "the job {} is a SQL job, and its artifact {} is no script that was uploaded",
                spec.name, spec.artifact
            );
            return Err(Error::Invalid { message });
        };
        let text = self.script(script).await?;
        let resolved = resolve(&text, &spec.variables);
        let parsed = Script::of(&resolved);
        let (findings, statements) = self.read_script(spec, &parsed, &artifacts[1..]).await?;
        let line =
            |finding: &Finding| format!("{}:{}: {}", script.name, finding.at, finding.problem);
        let told = |severity| {
            findings.iter().filter(move |finding| finding.severity == severity).map(line)
        };
        let Some(statements) = statements else {
            return Err(wrong(told(Severity::Error).collect()));
        };
        let warnings = told(Severity::Warning).collect();
        let needs = needs(&parsed, &resolved, artifacts);
        let environment = self.environment(&spec.environment).await?;
        self.check_needs(spec, &environment, &needs).await?;
        artifacts.push(self.runner().await?);
        artifacts
            .push(self.generated(FILE_NAME, ArtifactRole::Script, statements.as_bytes()).await?);
        Ok(CheckedScript { statements: parsed.statements().len(), warnings, needs })
    }

    /// Refuses a script that needs what its image or its namespace does not have.
    pub(crate) async fn check_needs(
        &self,
        spec: &JobSpec,
        environment: &Environment,
        needs: &ScriptNeeds,
    ) -> Result<(), Error> {
        if needs.python {
            let version = self.version_row(spec.flink_version, &spec.environment).await?;
            check_image(spec, &version)?;
        }
        script_secrets::check(self, environment, needs).await
    }

    async fn script(&self, script: &ReleaseArtifact) -> Result<String, Error> {
        let refuse = |why: String| Error::Invalid {
            message: format!("the script {} cannot be read: {why}", script.name),
        };
        if script.size > MAX_SCRIPT {
            return Err(refuse(format!("it has {} bytes, at most {MAX_SCRIPT} are", script.size)));
        }
        let path = self.artifact_path(&script.digest);
        let bytes = tokio::fs::read(&path).await.map_err(Error::file("read", &path))?;
        String::from_utf8(bytes).map_err(|error| refuse(format!("it is not UTF-8: {error}")))
    }

    /// What is wrong or doubtful about a script, and the file that the runner reads, unless something is wrong.
    pub(crate) async fn read_script(
        &self,
        spec: &JobSpec,
        script: &Script<'_>,
        others: &[ReleaseArtifact],
    ) -> Result<(Vec<Finding>, Option<String>), Error> {
        let mut findings = self.findings(spec, script, others).await?;
        let is_wrong = |finding: &Finding| finding.severity == Severity::Error;
        match runner_file(script) {
            _ if findings.iter().any(is_wrong) => Ok((findings, None)),
            Ok(statements) => Ok((findings, Some(statements))),
            Err(in_the_way) => {
                findings.extend(in_the_way);
                Ok((findings, None))
            }
        }
    }

    /// The jar that runs scripts.
    pub(crate) async fn runner(&self) -> Result<ReleaseArtifact, Error> {
        self.generated(JAR_NAME, ArtifactRole::Usrlib, JAR).await
    }

    /// What is wrong or doubtful. Jars are looked into only where something is missing that they may bring.
    async fn findings(
        &self,
        spec: &JobSpec,
        script: &Script<'_>,
        others: &[ReleaseArtifact],
    ) -> Result<Vec<Finding>, Error> {
        let mut target = Target { version: Some(spec.flink_version), ..Target::default() };
        let findings = check(script, &target);
        if !findings.iter().any(|finding| finding.problem.is_about_a_factory()) {
            return Ok(findings);
        }
        for jar in others.iter().filter(|one| is_jar(&one.name)) {
            target.provide(self.factories(jar).await?);
        }
        Ok(check(script, &target))
    }

    /// The identifiers of the table factories in a jar.
    async fn factories(&self, jar: &ReleaseArtifact) -> Result<Vec<String>, Error> {
        let facts = self.facts(jar).await?;
        Ok(facts.factories.into_iter().filter_map(|factory| factory.identifier).collect())
    }

    /// An artifact that Flumen makes itself.
    async fn generated(
        &self,
        name: &str,
        role: ArtifactRole,
        bytes: &[u8],
    ) -> Result<ReleaseArtifact, Error> {
        let digest = identity::sha256(bytes);
        let size = if let Some(size) = self.artifact(&digest).await? {
            size
        } else {
            let body = stream::iter([Ok::<_, io::Error>(Bytes::copy_from_slice(bytes))]);
            self.put_artifact(&digest, body).await?
        };
        Ok(ReleaseArtifact { name: name.to_owned(), digest, size, role, maven: None })
    }
}

/// What the pods must have for the script.
pub(crate) fn needs(
    script: &Script<'_>,
    resolved: &Resolved<'_>,
    files: &[ReleaseArtifact],
) -> ScriptNeeds {
    let python = uses_python(script) || files.iter().any(|file| is_for_python(file.role));
    let mut needs = ScriptNeeds { python, ..ScriptNeeds::default() };
    for SecretReference { name, entry, .. } in resolved.secrets() {
        needs.secrets.entry(name.to_string()).or_default().insert(entry.to_string());
    }
    needs
}

/// What is wrong with a script, as far as it is told at once.
fn wrong(mut errors: Vec<String>) -> Error {
    let more = errors.len().saturating_sub(MAX_TOLD);
    errors.truncate(MAX_TOLD);
    if more > 0 {
        errors.push(format!("and {more} more; see `flumen sql check`"));
    }
    Error::Invalid { message: errors.join("\n") }
}
