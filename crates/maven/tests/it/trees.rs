use std::{collections::BTreeMap, sync::Arc};

use flumen_maven::{Answer, Environment, Gav, Pom, Repository, Resolver, Step, XmlError};

use crate::record::{Case, cases, differences, repository};

/// The recorded repository, without a network.
struct Recorded(BTreeMap<String, String>);

impl Repository for Recorded {
    fn pom(&self, of: &Gav) -> Answer<Result<Arc<Pom>, Arc<XmlError>>> {
        match self.0.get(&of.pom().path()) {
            Some(text) => {
                Answer::Known(Pom::parse(text.as_bytes()).map(Arc::new).map_err(Arc::new))
            }
            None => Answer::Absent,
        }
    }

    fn versions(&self, group: &str, artifact: &str) -> Answer<Arc<Vec<String>>> {
        let path = format!("{}/{artifact}/maven-metadata.xml", group.replace('.', "/"));
        let Some(text) = self.0.get(&path) else { return Answer::Absent };
        let versions = text.split("<version>").skip(1).filter_map(|part| part.split('<').next());
        Answer::Known(Arc::new(versions.map(str::to_owned).collect()))
    }
}

#[test]
fn every_recorded_tree_is_mavens() {
    let recorded = Recorded(repository());
    // One resolver for all: what it keeps of one case must not change another.
    let mut resolver = Resolver::new(Environment::linux("17.0.15"));
    let resolve = |case: Case| {
        let tree = match resolver.step(&case.request, &recorded) {
            Ok(Step::Done(resolution)) => Ok(resolution),
            other => Err(format!("{other:?}")),
        };
        (case, tree)
    };
    let trees: Vec<_> = cases().into_iter().map(resolve).collect();
    assert!(trees.len() >= 40, "{} cases", trees.len());
    assert_eq!(differences(&trees), [""; 0]);
}
