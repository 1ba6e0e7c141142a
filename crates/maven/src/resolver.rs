use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::{
    collect::Collector,
    conflict,
    coordinates::{Coordinates, Exclusion, Gav},
    effective::{For, Known, Models, Unusable},
    environment::Environment,
    error::Error,
    graph::{Graph, ListId},
    pom::{Dependency, License},
    repository::{Repository, Want},
    scope::Scope,
};

/// What to resolve: as the dependencies of a project that has nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// What is wanted, in this order: of two versions that are equally near the first wins.
    pub wanted: Vec<Wanted>,
}

/// An artifact that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is.
    pub coordinates: Coordinates,
    /// What is left out below it.
    pub exclusions: Vec<Exclusion>,
}

impl Wanted {
    /// An artifact with all that it depends on.
    pub const fn whole(coordinates: Coordinates) -> Self {
        Self { coordinates, exclusions: Vec::new() }
    }
}

/// One artifact of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub coordinates: Coordinates,
    /// Where it is needed: `compile` or `runtime`.
    pub scope: Scope,
    /// 1 for what was asked for, 2 for what that depends on, and so on: with the order this makes a tree.
    pub depth: usize,
    /// What its POM or a parent of that says: it may be used under one of these.
    pub licenses: Vec<License>,
}

/// The artifacts that are needed to compile and to run, each after what it is there for.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The tree, depth first.
    pub artifacts: Vec<Artifact>,
    /// POMs that could not be used; their artifacts count as ones without dependencies.
    pub unusable: Vec<Unusable>,
}

/// A name for the file of each artifact. Two whose files have one name are told apart by their groups.
pub fn file_names(artifacts: &[Artifact]) -> Vec<String> {
    let name = |one: &Artifact| one.coordinates.file_name(&one.coordinates.gav.version);
    let mut uses: HashMap<String, usize> = HashMap::new();
    for artifact in artifacts {
        *uses.entry(name(artifact)).or_default() += 1;
    }
    let named = |one: &Artifact| match name(one) {
        name if uses.get(&name) == Some(&1) => name,
        name => format!("{}.{name}", one.coordinates.gav.group),
    };
    artifacts.iter().map(named).collect()
}

/// How far resolution came.
#[derive(Debug)]
pub enum Step {
    /// It is done.
    Done(Resolution),
    /// It needs to know these first.
    Wants(Vec<Want>),
}

/// Resolves as Maven 3.8 does. It keeps what it worked out, so that asking again after more is known costs little.
///
/// ```
/// use flumen_maven::{Answer, Environment, Gav, Pom, Repository, Request, Resolver, Step, Wanted, XmlError};
/// use std::sync::Arc;
///
/// struct OnePom;
/// impl Repository for OnePom {
///     fn pom(&self, of: &Gav) -> Answer<Result<Arc<Pom>, Arc<XmlError>>> {
///         let text = "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>";
///         if of.artifact == "a" { Answer::Known(Ok(Arc::new(Pom::parse(text.as_bytes()).unwrap()))) } else { Answer::Absent }
///     }
///     fn versions(&self, _: &str, _: &str) -> Answer<Arc<Vec<String>>> {
///         Answer::Absent
///     }
/// }
/// let request = Request { wanted: vec![Wanted::whole("g:a:1".parse().unwrap())] };
/// let mut resolver = Resolver::new(Environment::linux("17"));
/// let Step::Done(resolution) = resolver.step(&request, &OnePom).unwrap() else { panic!() };
/// assert_eq!(resolution.artifacts[0].coordinates.to_string(), "g:a:jar:1");
/// ```
pub struct Resolver {
    environment: Environment,
    known: Known,
}

impl Resolver {
    /// For a machine.
    pub fn new(environment: Environment) -> Self {
        Self { environment, known: Known::new() }
    }

    /// Resolves as far as the repository has answers.
    ///
    /// # Errors
    /// `NotFound` if no version lies in a range, `Invalid` if wishes contradict each other or the graph is larger than any
    /// real one.
    pub fn step(&mut self, request: &Request, repository: &impl Repository) -> Result<Step, Error> {
        let wanted: Vec<_> = request.wanted.iter().map(dependency).collect();
        let models = Models::new(&self.environment, repository, &mut self.known);
        let mut collector = Collector::new(models);
        collector.collect(&wanted)?;
        let Collector { mut graph, findings, .. } = collector;
        if !findings.wants.is_empty() {
            return Ok(Step::Wants(findings.wants.into_iter().collect()));
        }
        conflict::solve(&mut graph)?;
        let mut artifacts = Vec::new();
        list(&graph, &mut artifacts);
        for artifact in &mut artifacts {
            let key = (artifact.coordinates.gav.clone(), For::Dependencies);
            if let Some(Ok(model)) = self.known.get(&key) {
                artifact.licenses.clone_from(&model.licenses);
            }
        }
        // A POM that lost is nobody's loss.
        let kept: HashSet<&Gav> = artifacts.iter().map(|one| &one.coordinates.gav).collect();
        let mut seen = HashSet::new();
        let is_loss = |(of, _): &(Gav, Unusable)| kept.contains(of) && seen.insert(of.clone());
        let unusable = findings.unusable.into_iter().filter(is_loss).map(|(_, why)| why).collect();
        Ok(Step::Done(Resolution { artifacts, unusable }))
    }
}

/// As `mvn dependency:tree` prints it.
impl fmt::Display for Resolution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whether another one follows on a level decides about the lines that are drawn; seen from the end that is known.
        let mut lines = Vec::with_capacity(self.artifacts.len());
        let mut follows: Vec<bool> = Vec::new();
        for Artifact { coordinates, scope, depth, .. } in self.artifacts.iter().rev() {
            follows.resize((*depth).max(1), false);
            let mut line = String::new();
            for has_next in follows.iter().take(depth.saturating_sub(1)) {
                line.push_str(if *has_next { "|  " } else { "   " });
            }
            let has_next = std::mem::replace(&mut follows[depth.saturating_sub(1)], true);
            line.push_str(if has_next { "+- " } else { "\\- " });
            lines.push(format!("{line}{coordinates}:{scope}\n"));
        }
        lines.iter().rev().try_for_each(|line| out.write_str(line))
    }
}

fn dependency(wanted: &Wanted) -> Dependency {
    let Wanted { coordinates, exclusions } = wanted;
    Dependency {
        group: coordinates.gav.group.clone(),
        artifact: coordinates.gav.artifact.clone(),
        version: coordinates.gav.version.clone(),
        kind: coordinates.kind.clone(),
        classifier: coordinates.classifier.clone(),
        exclusions: exclusions.clone(),
        ..Dependency::default()
    }
}

/// Lists what is needed at run time, depth first; each list of children once.
fn list(graph: &Graph, artifacts: &mut Vec<Artifact>) {
    let mut seen: HashSet<ListId> = HashSet::from([Graph::ROOT]);
    let mut walk = vec![(Graph::ROOT, 0)];
    while let Some((list, next)) = walk.pop() {
        let Some(node) = graph.lists[list].get(next).map(|id| &graph.nodes[*id]) else { continue };
        walk.push((list, next + 1));
        if node.scope.is_runtime() {
            let coordinates = node.coordinates.clone();
            let (scope, depth, licenses) = (node.scope, walk.len(), Vec::new());
            artifacts.push(Artifact { coordinates, scope, depth, licenses });
        }
        if seen.insert(node.children) {
            walk.push((node.children, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_told_apart_by_their_groups() {
        let artifact = |text: &str| Artifact {
            coordinates: text.parse().expect("coordinates"),
            scope: Scope::Compile,
            depth: 1,
            licenses: Vec::new(),
        };
        let artifacts = [artifact("a:x:1"), artifact("b:x:1"), artifact("b:y:jar:tests:1")];
        assert_eq!(file_names(&artifacts), ["a.x-1.jar", "b.x-1.jar", "y-1-tests.jar"]);
    }
}
