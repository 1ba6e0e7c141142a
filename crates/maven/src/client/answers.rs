use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use futures::{StreamExt as _, stream::FuturesUnordered};

use super::{Client, MAX_TEXT};
use crate::{
    coordinates::Gav,
    error::Error,
    local::Local,
    metadata::Metadata,
    pom::Pom,
    repository::{Answer, Repository, Want},
    xml::XmlError,
};

/// More POMs than any resolution needs.
const MAX_POMS: usize = 20_000;

type PomAnswer = Answer<Result<Arc<Pom>, Arc<XmlError>>>;
type Versions = Answer<Arc<Vec<String>>>;

/// What repositories said so far in one resolution. A POM that lies in the local repository is read at once, so that
/// resolution goes on with it instead of beginning anew.
pub(super) struct Answers<'a> {
    local: &'a Local,
    poms: RefCell<HashMap<Gav, PomAnswer>>,
    versions: HashMap<(String, String), Versions>,
}

enum Said {
    Pom(Gav, PomAnswer),
    Versions((String, String), Versions),
}

impl<'a> Answers<'a> {
    pub(super) fn new(local: &'a Local) -> Self {
        Self { local, poms: RefCell::default(), versions: HashMap::new() }
    }

    /// A POM that nobody has to be asked for. One that cannot be read is left to who fetches it, and can say so.
    fn here(&self, of: &Gav) -> Option<PomAnswer> {
        let coordinates = of.pom();
        if !coordinates.is_sound() || of.is_snapshot() {
            return None;
        }
        let path = self.local.find(&coordinates.path())?;
        read_pom(&path).ok()
    }
}

impl Repository for Answers<'_> {
    fn pom(&self, of: &Gav) -> PomAnswer {
        if let Some(known) = self.poms.borrow().get(of) {
            return known.clone();
        }
        let Some(answer) = self.here(of) else { return Answer::Pending };
        self.poms.borrow_mut().insert(of.clone(), answer.clone());
        answer
    }

    fn versions(&self, group: &str, artifact: &str) -> Versions {
        let key = (group.to_owned(), artifact.to_owned());
        self.versions.get(&key).cloned().unwrap_or(Answer::Pending)
    }
}

impl Client {
    /// Finds out what is wanted, and what will be wanted next for sure: parents and imports.
    pub(super) async fn answer(
        &self,
        wants: Vec<Want>,
        answers: &mut Answers<'_>,
    ) -> Result<(), Error> {
        let mut asked: HashSet<Want> = wants.iter().cloned().collect();
        let mut waiting = wants;
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.settings.parallel.max(1) {
                let Some(want) = waiting.pop() else { break };
                running.push(self.ask(want));
            }
            let Some(said) = running.next().await else { return Ok(()) };
            match said? {
                Said::Versions(of, versions) => {
                    answers.versions.insert(of, versions);
                }
                Said::Pom(of, answer) => {
                    if let Answer::Known(Ok(pom)) = &answer {
                        let next = pom.base.managed.iter().filter(|one| one.is_import());
                        let next =
                            next.map(|one| Gav::new(&one.group, &one.artifact, &one.version));
                        for gav in pom.parent.iter().cloned().chain(next) {
                            let want = Want::Pom(gav.clone());
                            let is_new =
                                gav.is_sound() && !answers.poms.get_mut().contains_key(&gav);
                            if is_new && asked.insert(want.clone()) {
                                waiting.push(want);
                            }
                        }
                    }
                    let poms = answers.poms.get_mut();
                    poms.insert(of, answer);
                    if poms.len() > MAX_POMS {
                        return Err(Error::TooLarge { nodes: MAX_POMS });
                    }
                }
            }
        }
    }

    async fn ask(&self, want: Want) -> Result<Said, Error> {
        match want {
            Want::Pom(of) => {
                let answer = self.pom(&of).await?;
                Ok(Said::Pom(of, answer))
            }
            Want::Versions(group, artifact) => {
                let versions = self.versions_of(&group, &artifact).await?;
                Ok(Said::Versions((group, artifact), versions))
            }
        }
    }

    async fn pom(&self, of: &Gav) -> Result<PomAnswer, Error> {
        let Some(path) = self.file(&of.pom(), MAX_TEXT).await? else { return Ok(Answer::Absent) };
        read_pom(&path)
    }

    /// The versions that all repositories list together, and those that are known here.
    async fn versions_of(&self, group: &str, artifact: &str) -> Result<Versions, Error> {
        // Any version will do to check the names, which become a path.
        if !Gav::new(group, artifact, "1").is_sound() {
            return Ok(Answer::Absent);
        }
        let directory = format!("{}/{artifact}", group.replace('.', "/"));
        let mut versions: Vec<String> = Vec::new();
        for metadata in self.metadata(&directory, |_| true).await? {
            versions.extend(metadata.1.versions);
        }
        let mut seen = HashSet::new();
        versions.retain(|version| seen.insert(version.clone()));
        let is_empty = versions.is_empty();
        Ok(if is_empty { Answer::Absent } else { Answer::Known(Arc::new(versions)) })
    }

    /// What each repository says in the `maven-metadata.xml` of a directory; offline, what each one said the last time.
    pub(super) async fn metadata(
        &self,
        directory: &str,
        is_asked: impl Fn(&crate::settings::Remote) -> bool,
    ) -> Result<Vec<(String, Metadata)>, Error> {
        let path = format!("{directory}/maven-metadata.xml");
        let mut found = Vec::new();
        let asked = self.settings.repositories.iter().filter(|remote| is_asked(remote));
        for remote in asked {
            let kept = format!("{directory}/maven-metadata-{}.xml", remote.id);
            if !self.settings.offline {
                self.fetch_from(remote, &path, &kept, MAX_TEXT).await?;
            }
            found.extend(self.read_metadata(&kept, &remote.id, directory)?);
        }
        let installed = format!("{directory}/maven-metadata-local.xml");
        found.extend(self.read_metadata(&installed, "local", directory)?);
        Ok(found)
    }

    fn read_metadata(
        &self,
        path: &str,
        repository: &str,
        of: &str,
    ) -> Result<Option<(String, Metadata)>, Error> {
        let Some(bytes) = self.local.read(path)? else { return Ok(None) };
        let repository = repository.to_owned();
        match Metadata::parse(&bytes) {
            Ok(metadata) => Ok(Some((repository, metadata))),
            Err(source) => Err(Error::ReadVersions { of: of.to_owned(), repository, source }),
        }
    }
}

fn read_pom(path: &Path) -> Result<PomAnswer, Error> {
    let read = std::fs::read(path);
    let bytes = read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(Answer::Known(Pom::parse(&bytes).map(Arc::new).map_err(Arc::new)))
}
