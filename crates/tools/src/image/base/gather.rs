use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use flumen_jar::Artifact as Gav;
use flumen_maven::{Request, Wanted, file_names, platform_exclusions};
use flumen_model::{ArtifactRole, Digest};
use flumen_release_policy::{Declared, Licence};
use sha2::{Digest as _, Sha256};

use super::{Base, Item};
use crate::{
    Error, Streams,
    maven::{Sources, plan::Session},
};

const LIB: &str = "/opt/flink/lib";
const USRLIB: &str = "/opt/flink/usrlib";
const PLUGINS: &str = "/opt/flink/plugins";

/// Files that change together, which are a layer.
pub(in crate::image) struct Group {
    /// As the file of the base image calls them.
    pub(in crate::image) name: String,
    pub(in crate::image) role: ArtifactRole,
    /// The directory in the image.
    pub(in crate::image) directory: String,
    pub(in crate::image) jars: Vec<Jar>,
}

pub(in crate::image) struct Jar {
    pub(in crate::image) name: String,
    pub(in crate::image) source: PathBuf,
    /// What it is in a Maven repository, if it is from there.
    pub(in crate::image) maven: Option<Gav>,
    /// What its POM says.
    pub(in crate::image) licence: Licence,
}

/// Everything that goes into the image, what changes least first.
pub(in crate::image) fn gather(
    file: &str,
    base: &Base,
    sources: &Sources,
    streams: &mut Streams<'_>,
) -> Result<Vec<Group>, Error> {
    let mut gathering = Gathering { file, sources, session: None };
    let mut groups = Vec::new();
    for (folder, items) in &base.plugins {
        let directory = format!("{PLUGINS}/{folder}");
        let jars = gathering.jars(&directory, items, streams)?;
        let name = format!("plugins.{folder}");
        groups.push(Group { name, role: ArtifactRole::Plugin, directory, jars });
    }
    for (name, role, directory, items) in [
        ("connectors", ArtifactRole::Lib, LIB, &base.connectors),
        ("udfs", ArtifactRole::Usrlib, USRLIB, &base.udfs),
    ] {
        let jars = gathering.jars(directory, items, streams)?;
        groups.push(Group { name: name.to_owned(), role, directory: directory.to_owned(), jars });
    }
    groups.retain(|group| !group.jars.is_empty());
    Ok(groups)
}

struct Gathering<'a> {
    file: &'a str,
    sources: &'a Sources,
    /// Made for the first coordinates: without any, nobody needs settings of Maven.
    session: Option<Session>,
}

impl Gathering<'_> {
    fn jars(
        &mut self,
        directory: &str,
        items: &[Item],
        streams: &mut Streams<'_>,
    ) -> Result<Vec<Jar>, Error> {
        let mut jars = self.resolved(items, streams)?;
        for item in items {
            if let Item::File { path, digest, key } = item {
                jars.push(self.on_disk(path, digest.as_ref(), key)?);
            }
        }
        let mut places: BTreeMap<&str, &Path> = BTreeMap::new();
        for jar in &jars {
            if let Some(first) = places.insert(&jar.name, &jar.source) {
                let problem = format!(
                    "two files would be {directory}/{}: {} and {}; leave one out",
                    jar.name,
                    first.display(),
                    jar.source.display()
                );
                return Err(self.wrong(directory, problem));
            }
        }
        Ok(jars)
    }

    /// All coordinates of one place are resolved together, as those of a job are.
    fn resolved(&mut self, items: &[Item], streams: &mut Streams<'_>) -> Result<Vec<Jar>, Error> {
        let mut request = Request::default();
        for item in items {
            if let Item::Maven { coordinates, exclusions } = item {
                let mut all = platform_exclusions(&[]);
                all.extend(exclusions.iter().cloned());
                request.wanted.push(Wanted { coordinates: coordinates.clone(), exclusions: all });
            }
        }
        if request.wanted.is_empty() {
            return Ok(Vec::new());
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::start(self.sources, streams)?,
        };
        let session = self.session.insert(session);
        let artifacts = session.resolve_request(&request, &self.sources.java, streams)?.artifacts;
        let paths = session.fetch(&artifacts, streams)?;
        let named = paths.into_iter().zip(file_names(&artifacts)).zip(&artifacts);
        let jar = |((source, name), artifact): ((PathBuf, String), &flumen_maven::Artifact)| {
            let gav = &artifact.coordinates.gav;
            let (group, id, version) = (&gav.group, &gav.artifact, &gav.version);
            let maven =
                Gav { group: group.clone(), artifact: id.clone(), version: version.clone() };
            let declared = artifact
                .licenses
                .iter()
                .map(|said| Declared { name: said.name.clone(), url: said.url.clone() });
            let licence = Licence::declared(&declared.collect::<Vec<_>>());
            Jar { name, source, maven: Some(maven), licence }
        };
        Ok(named.map(jar).collect())
    }

    fn on_disk(&self, path: &Path, digest: Option<&Digest>, key: &str) -> Result<Jar, Error> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| {
            let extension = Path::new(name).extension();
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
        });
        let Some(name) = name else {
            let problem = format!("{} is not named as a jar is; expected NAME.jar", path.display());
            return Err(self.wrong(key, problem));
        };
        if let Some(expected) = digest {
            let actual = digest_of(path)
                .map_err(|source| Error::ReadFile { file: path.display().to_string(), source })?;
            if actual != *expected {
                let problem = format!("{} has {actual} where {expected} is named", path.display());
                return Err(self.wrong(key, problem));
            }
        }
        let (name, source) = (name.to_owned(), path.to_owned());
        Ok(Jar { name, source, maven: None, licence: Licence::default() })
    }

    fn wrong(&self, key: &str, problem: String) -> Error {
        Error::BaseValue { file: self.file.to_owned(), key: key.to_owned(), problem }
    }
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Digest::from_sha256(&hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}
