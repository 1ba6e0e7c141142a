//! Whatever POMs say, resolution ends, and keeps one version of each artifact.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use flumen_maven::{
    Answer, Dependency, Environment, Gav, Pom, Relocation, Repository, Request, Resolver, Section,
    Step, Wanted, XmlError,
};
use proptest::prelude::*;

const ARTIFACTS: usize = 6;
const VERSIONS: usize = 3;

#[derive(Debug)]
struct Poms(BTreeMap<Gav, Arc<Pom>>);

impl Repository for Poms {
    fn pom(&self, of: &Gav) -> Answer<Result<Arc<Pom>, Arc<XmlError>>> {
        self.0.get(of).map_or(Answer::Absent, |pom| Answer::Known(Ok(pom.clone())))
    }

    fn versions(&self, _: &str, _: &str) -> Answer<Arc<Vec<String>>> {
        Answer::Known(Arc::new((0..VERSIONS).map(|version| version.to_string()).collect()))
    }
}

fn dependency() -> impl Strategy<Value = Dependency> {
    let versions = ["0", "1", "2", "[0,1]", "[1,)", "(,9]", "7", "${v}"];
    let scopes = ["", "compile", "runtime", "test", "provided", "system", "odd"];
    let exclusions = ["*:*", "g:a1", "g:a2"];
    (
        0..ARTIFACTS,
        prop::sample::select(versions.to_vec()),
        prop::sample::select(scopes.to_vec()),
        prop::bool::weighted(0.1),
        prop::collection::vec(prop::sample::select(exclusions.to_vec()), 0..2),
    )
        .prop_map(|(artifact, version, scope, optional, exclusions)| Dependency {
            group: "g".to_owned(),
            artifact: format!("a{artifact}"),
            version: version.to_owned(),
            scope: scope.to_owned(),
            optional: optional.to_string(),
            exclusions: exclusions.iter().map(|one| one.parse().expect("an exclusion")).collect(),
            ..Dependency::default()
        })
}

fn pom(artifact: usize, version: usize) -> impl Strategy<Value = (Gav, Arc<Pom>)> {
    let relocation = prop::option::weighted(0.1, (0..ARTIFACTS, 0..VERSIONS));
    let parent = prop::option::weighted(0.2, (0..ARTIFACTS, 0..VERSIONS));
    let gav = |(artifact, version): (usize, usize)| {
        Gav::new("g", &format!("a{artifact}"), &version.to_string())
    };
    (prop::collection::vec(dependency(), 0..5), relocation, parent).prop_map(
        move |(dependencies, relocation, parent)| {
            let own = gav((artifact, version));
            let to = relocation.map(gav).map(|to| Relocation {
                group: None,
                artifact: Some(to.artifact),
                version: Some(to.version),
            });
            let properties = vec![("v".to_owned(), "${project.version}".to_owned())];
            let pom = Pom {
                parent: parent.map(gav),
                group: Some(own.group.clone()),
                artifact: own.artifact.clone(),
                version: Some(own.version.clone()),
                base: Section {
                    properties,
                    managed: Vec::new(),
                    dependencies: dependencies.into_iter().map(Arc::new).collect(),
                },
                relocation: to,
                ..Pom::default()
            };
            (own, Arc::new(pom))
        },
    )
}

fn poms() -> impl Strategy<Value = Poms> {
    let all: Vec<_> =
        (0..ARTIFACTS * VERSIONS).map(|index| pom(index / VERSIONS, index % VERSIONS)).collect();
    all.prop_map(|poms| Poms(poms.into_iter().collect()))
}

proptest! {
    #[test]
    fn resolution_ends_and_keeps_one_of_each(poms in poms(), roots in prop::collection::vec(0..ARTIFACTS, 1..3)) {
        let wanted = roots.iter().map(|root| format!("g:a{root}:1").parse().expect("coordinates"));
        let request = Request { wanted: wanted.map(Wanted::whole).collect() };
        let step = Resolver::new(Environment::linux("17")).step(&request, &poms);
        if let Ok(Step::Done(resolution)) = step {
            let mut seen = HashSet::new();
            for artifact in &resolution.artifacts {
                let gav = &artifact.coordinates.gav;
                prop_assert!(seen.insert((gav.artifact.clone(), artifact.coordinates.classifier.clone())), "{resolution}");
                prop_assert!(artifact.scope.is_runtime());
                prop_assert!(artifact.depth > 0);
            }
        }
    }
}
