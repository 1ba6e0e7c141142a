//! What the release policy of the server says of the artifacts of a job.

use flumen_jar::Facts;
use flumen_model::JobSpec;
use flumen_release_policy::{Artifact, Declared, Licence, Refusal, Subject};
use flumen_store::ReleaseArtifact;

use super::checks::coordinates;
use crate::{Control, Error};

impl Control {
    /// Asks the release policy, where the server has one. Returns what is to be looked at.
    ///
    /// # Errors
    /// [`Error::Denied`] with all that the policy denies.
    pub(crate) fn ask_policy(
        &self,
        spec: &JobSpec,
        subjects: impl FnOnce() -> Vec<Subject>,
    ) -> Result<Vec<String>, Error> {
        let Some(policy) = &self.settings().release_policy else { return Ok(Vec::new()) };
        let found = policy.check(&subjects());
        if found.refusals.is_empty() {
            return Ok(found.warnings);
        }
        let problems = found.refusals.iter().map(Refusal::to_string).collect();
        Err(Error::Denied { job: spec.name.to_string(), problems })
    }
}

/// Artifacts of Maven as they were resolved, depth first, each with the way that led to it.
pub(crate) fn resolved(artifacts: &[flumen_maven::Artifact]) -> Vec<Subject> {
    let mut way: Vec<String> = Vec::new();
    let subject = |one: &flumen_maven::Artifact| {
        let gav = &one.coordinates.gav;
        let artifact = Artifact {
            group: gav.group.clone(),
            artifact: gav.artifact.clone(),
            version: gav.version.clone(),
        };
        way.truncate(one.depth.saturating_sub(1));
        let path = way.clone();
        way.push(artifact.to_string());
        let declared = |said: &flumen_maven::License| Declared {
            name: said.name.clone(),
            url: said.url.clone(),
        };
        let said: Vec<Declared> = one.licenses.iter().map(declared).collect();
        Subject::Resolved { artifact, path, licence: Licence::declared(&said) }
    };
    artifacts.iter().map(subject).collect()
}

/// What jars say of themselves, and of what they were made of. What came by coordinates was asked about by these.
pub(super) fn of_jars(jars: &[&ReleaseArtifact], facts: &[Facts]) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (jar, facts) in jars.iter().zip(facts) {
        let own = coordinates(jar);
        if own.is_none() {
            let licence = facts.license.as_deref().map(Licence::of_manifest).unwrap_or_default();
            subjects.push(Subject::File { name: jar.name.clone(), licence });
        }
        let inside = facts.artifacts.iter().filter(|one| Some(*one) != own.as_ref());
        subjects.extend(inside.map(|one| Subject::Inside {
            artifact: Artifact {
                group: one.group.clone(),
                artifact: one.artifact.clone(),
                version: one.version.clone(),
            },
            jar: jar.name.clone(),
        }));
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_an_artifact_is_what_stands_above_it() {
        let artifact = |text: &str, depth| flumen_maven::Artifact {
            coordinates: text.parse().expect("coordinates"),
            scope: flumen_maven::Scope::Compile,
            depth,
            licenses: Vec::new(),
        };
        let tree = [
            artifact("g:a:1", 1),
            artifact("g:b:1", 2),
            artifact("g:c:1", 3),
            artifact("g:d:1", 2),
            artifact("g:e:1", 1),
        ];
        let ways: Vec<String> = resolved(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            ways,
            [
                "g:a:1",
                "g:b:1, which came by g:a:1,",
                "g:c:1, which came by g:a:1 > g:b:1,",
                "g:d:1, which came by g:a:1,",
                "g:e:1",
            ]
        );
    }
}
