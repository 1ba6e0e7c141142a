use std::{collections::BTreeMap, sync::Arc};

use flumen_maven::{Answer, Environment, Gav, Pom, Repository, Resolver, Step, XmlError};

use crate::record::{cases, print_tree, repository, tree_of_maven};

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
    let mut wrong = Vec::new();
    for case in cases() {
        let mut resolver = Resolver::new(Environment::linux("17.0.15"));
        let step = resolver.step(&case.request, &recorded);
        let tree = match step {
            Ok(Step::Done(resolution)) => print_tree(&resolution.artifacts),
            other => format!("{other:?}"),
        };
        if tree != tree_of_maven(&case) {
            wrong.push(format!("{}:\n{tree}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} differ from Maven's\n{}", wrong.len(), wrong.join("\n"));
}
