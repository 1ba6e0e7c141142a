//! Asks an index until all is resolved, and fetches wheels.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use flumen_model::{Digest, ImagePython};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use pep440_rs::Version;
use pep508_rs::PackageName;
use tempfile::TempPath;
use url::Url;

use crate::{
    Error,
    listing::{self, File, Metadata},
    metadata::{self, MAX_METADATA, Requires},
    requirements::Wanted,
    resolve::{Known, Need, Pick, Problem, Step, step},
    target::Target,
    transport::Transport,
};

pub use crate::transport::Progress;

/// Requests that are under way at the same time.
const AT_ONCE: usize = 8;
/// The largest listing of a project, in bytes.
const MAX_LISTING: u64 = 64 << 20;

/// Wheels of an index.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    index: Url,
    /// Where wheels are put while they come.
    directory: PathBuf,
    limit: u64,
    /// Wheels that had to come whole for their metadata.
    here: Mutex<HashMap<Url, (TempPath, Digest)>>,
}

/// What requirements come to.
#[derive(Debug)]
pub struct Resolution {
    /// What is to be fetched, by project.
    pub wheels: Vec<Wheel>,
    /// What is doubtful about them.
    pub warnings: Vec<String>,
}

/// A wheel that is taken.
#[derive(Debug)]
pub struct Wheel {
    pick: Pick,
}

impl Wheel {
    /// The name of its file.
    pub fn name(&self) -> &str {
        &self.pick.file.name
    }

    /// The digest that it must have, if the requirements or the index say one.
    pub fn digest(&self) -> Option<&Digest> {
        match self.pick.hashes.as_slice() {
            [only] => Some(only),
            _ => self.pick.file.sha256.as_ref(),
        }
    }

    /// Project and version.
    pub fn package(&self) -> String {
        format!("{} {}", self.pick.project, self.pick.version)
    }
}

impl Client {
    /// Asks the index at this address. Wheels come into `directory` first, and have at most `limit` bytes.
    ///
    /// # Errors
    /// `Bug` if no HTTP client can be made.
    pub fn new(mut index: Url, directory: PathBuf, limit: u64) -> Result<Self, Error> {
        // What is joined to it would take the place of its last part.
        if !index.path().ends_with('/') {
            index.set_path(&format!("{}/", index.path()));
        }
        let transport = Transport::new(&index)?;
        Ok(Self { transport, index, directory, limit, here: Mutex::default() })
    }

    /// What came over the wire so far.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.transport.progress)
    }

    /// Finds out which wheels the requirements come to, beside what the image has.
    ///
    /// # Errors
    /// `NotFound` or `Invalid` if they come to none, `Unavailable`, `Denied` or `Timeout` if the index does not answer.
    pub async fn resolve(
        &self,
        wanted: &[Wanted],
        python: &ImagePython,
    ) -> Result<Resolution, Error> {
        let target = Target::new(python)?;
        let installed = installed(python);
        let problem = Problem { wanted, target: &target, installed };
        let mut known = Known::default();
        let picks = loop {
            match step(&problem, &known) {
                Ok(Step::Done(picks)) => break picks,
                Ok(Step::Need(need)) => self.learn(need, &mut known).await?,
                Err(Error::NoProject { project, by, .. }) => {
                    let index = self.transport.index.clone();
                    return Err(Error::NoProject { project, by, index });
                }
                Err(error) => return Err(error),
            }
        };
        let warnings = picks.iter().filter_map(|pick| {
            let old = problem.installed.get(&pick.project)?;
            let Pick { project, version, .. } = pick;
            Some(format!("{project} {version} comes before the {old} that the image has"))
        });
        let extras = wanted.iter().map(|one| &one.requirement).filter(|one| {
            let is_taken = picks.iter().any(|pick| pick.project == one.name);
            !one.extras.is_empty() && !is_taken && problem.installed.contains_key(&one.name)
        });
        let extras = extras.map(|one| {
            format!("the image has {}, and whether it was installed with the extras of {one} is not known", one.name)
        });
        let warnings = warnings.chain(extras).collect();
        Ok(Resolution { wheels: picks.into_iter().map(|pick| Wheel { pick }).collect(), warnings })
    }

    /// Fetches a wheel and checks its digest.
    ///
    /// # Errors
    /// `Invalid` or `Unavailable` if it is not what it should be; as [`Client::resolve`] if it does not come.
    pub async fn fetch(&self, wheel: &Wheel) -> Result<(TempPath, Digest), Error> {
        let Pick { file, hashes, .. } = &wheel.pick;
        let before = self.here.lock().unwrap_or_else(PoisonError::into_inner).remove(&file.url);
        let (part, actual) = match before {
            Some(here) => here,
            None => self.download(file).await?,
        };
        check(&file.name, file.sha256.as_ref(), &actual)?;
        if !hashes.is_empty() && !hashes.contains(&actual) {
            check(&file.name, hashes.first(), &actual)?;
        }
        Ok((part, actual))
    }

    async fn learn(&self, need: Need, known: &mut Known) -> Result<(), Error> {
        let listings = stream::iter(need.listings).map(|project| async move {
            let files = self.listing(&project).await?;
            Ok::<_, Error>((project, files))
        });
        let requires = stream::iter(need.requires).map(|(version, file)| async move {
            let requires = self.requires(&file).await?;
            Ok::<_, Error>((version, requires))
        });
        let listings = listings.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>();
        let requires = requires.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>();
        let (listings, requires) = futures::try_join!(listings, requires)?;
        known.listings.extend(listings);
        known.requires.extend(requires);
        Ok(())
    }

    async fn listing(&self, project: &PackageName) -> Result<Option<Vec<File>>, Error> {
        let what = format!("the files of {project}");
        let unreadable = |problem: String| Error::ReadAnswer {
            what: what.clone(),
            index: self.transport.index.clone(),
            problem,
        };
        let url =
            self.index.join(&format!("{project}/")).map_err(|it| unreadable(it.to_string()))?;
        let Some(answer) = self.transport.get(&what, &url, MAX_LISTING).await? else {
            return Ok(None);
        };
        if answer.is_json {
            return listing::from_json(&answer.bytes, &answer.url).map(Some).map_err(unreadable);
        }
        let text = std::str::from_utf8(&answer.bytes)
            .map_err(|_| unreadable("it is neither JSON nor HTML in UTF-8".to_owned()))?;
        Ok(Some(listing::from_html(text, &answer.url)))
    }

    /// What the wheel needs: as its metadata beside it say, else as it says itself.
    async fn requires(&self, file: &File) -> Result<Requires, Error> {
        if let Metadata::Beside { sha256 } = &file.metadata {
            let what = format!("the metadata of {}", file.name);
            let mut url = file.url.clone();
            url.set_path(&format!("{}.metadata", file.url.path()));
            if let Some(answer) = self.transport.get(&what, &url, MAX_METADATA).await? {
                check(&what, sha256.as_ref(), &digest_of(&answer.bytes))?;
                return Ok(metadata::parse(&String::from_utf8_lossy(&answer.bytes)));
            }
        }
        let (part, actual) = self.download(file).await?;
        check(&file.name, file.sha256.as_ref(), &actual)?;
        let (path, name) = (part.to_path_buf(), file.name.clone());
        let text = tokio::task::spawn_blocking(move || metadata::of_wheel(&path, &name))
            .await
            .map_err(|_| Error::Interrupted { step: "reading a wheel" })??;
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.insert(file.url.clone(), (part, actual));
        Ok(metadata::parse(&text))
    }

    async fn download(&self, file: &File) -> Result<(TempPath, Digest), Error> {
        let place = (self.directory.as_path(), self.limit);
        let fetched = self.transport.download(&file.name, &file.url, place).await?;
        fetched.ok_or_else(|| Error::Gone {
            what: file.name.clone(),
            index: self.transport.index.clone(),
        })
    }
}

fn check(what: &str, expected: Option<&Digest>, actual: &Digest) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::OtherContent {
            what: what.to_owned(),
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        _ => Ok(()),
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    use sha2::{Digest as _, Sha256};

    Digest::from_sha256(&Sha256::digest(bytes).into())
}

/// What the image has, but for what has no version that can be compared.
fn installed(python: &ImagePython) -> BTreeMap<PackageName, Version> {
    let packages = python.packages.iter().filter_map(|(name, version)| {
        Some((PackageName::new(name.clone()).ok()?, version.parse().ok()?))
    });
    packages.collect()
}
