//! Whether images can be pushed to the registry of an environment, whether its storage can be written, listed, read and
//! cleaned, and whether Flink's plugin for it can be had.

use bytes::Bytes;
use flumen_image::{Checked, Reference};
use flumen_model::EnvironmentName;
use flumen_store::Environment;

use super::{Files, Look, below, plugin};
use crate::{Control, Error, versions::REPOSITORY};

/// Below which probes lie for the moment that they are there.
const PROBES: &str = "flumen-probe";
const PROBE: &str = "probe";

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a few words.
    pub name: &'static str,
    /// What came of it.
    pub outcome: CheckOutcome,
    /// What was seen, in one sentence.
    pub detail: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// As it should be.
    Passed,
    /// It could not be looked at.
    NotLooked,
    /// Jobs would fail on it.
    Failed,
}

impl Check {
    fn passed(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, outcome: CheckOutcome::Passed, detail: detail.into(), remedy: None }
    }

    fn failed(name: &'static str, error: &Error) -> Self {
        let detail = error.paragraph();
        Self { name, outcome: CheckOutcome::Failed, detail, remedy: error.hint() }
    }
}

impl Control {
    /// Looks whether the registry and the storage of an environment can be used, by probes that are gone afterwards. What goes
    /// wrong is in the answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown environment.
    pub async fn check_environment(&self, name: &EnvironmentName) -> Result<Vec<Check>, Error> {
        let environment = self.environment(name).await?;
        // Whoever has just corrected the keys wants to know of those.
        self.storages().forget(&environment.document);
        let mut checks = vec![self.check_registry(&environment).await];
        match self.storages().look(&environment).await {
            Err(error) => checks.push(Check::failed("keys", &error)),
            Ok(Look::Never(why)) => checks.push(Check {
                name: "probe",
                outcome: CheckOutcome::NotLooked,
                detail: format!("{}: {why}", environment.document.storage.base()),
                remedy: Some(
                    "start a job there and look whether it completes a checkpoint".to_owned(),
                ),
            }),
            Ok(Look::Into(files)) => probe(self, &files, &mut checks).await,
        }
        self.check_plugins(&environment, &mut checks).await?;
        Ok(checks)
    }

    async fn check_registry(&self, environment: &Environment) -> Check {
        const NAME: &str = "registry";
        let registry = &environment.document.registry;
        let checking = async {
            let repository: Reference =
                format!("{registry}/{REPOSITORY}").parse().map_err(Error::from)?;
            let client = self.registries().client(repository.registry()).await?;
            Ok(client.check(&repository).await?)
        };
        match checking.await {
            Ok(Checked { kept_because: None, .. }) => {
                Check::passed(NAME, format!("an image was pushed to {registry}, read and deleted"))
            }
            Ok(Checked { kept_because: Some(why), .. }) => {
                let detail = format!("an image was pushed to {registry} and read; it stays: {why}");
                Check::passed(NAME, detail)
            }
            Err(error) => Check::failed(NAME, &error),
        }
    }

    async fn check_plugins(
        &self,
        environment: &Environment,
        checks: &mut Vec<Check>,
    ) -> Result<(), Error> {
        const NAME: &str = "plugin";
        for row in self.versions().await? {
            if row.environment != environment.name {
                continue;
            }
            let version = row.version;
            let image = (version, row.built_in_plugins.as_slice());
            match plugin::delivery(&environment.document.storage, image, &[]) {
                plugin::Delivery::None => {}
                plugin::Delivery::BuiltIn(jar) => {
                    let detail = format!("{jar} is in the image of Flink {version}");
                    checks.push(Check::passed(NAME, detail));
                }
                plugin::Delivery::Layer(plugin) => {
                    let found = self.plugin_artifact(&environment.name, plugin, version).await;
                    checks.push(match found {
                        Ok(jar) => {
                            let jar = jar.name;
                            let detail = format!("{jar} is put into images of Flink {version}");
                            Check::passed(NAME, detail)
                        }
                        Err(error) => Check::failed(NAME, &error),
                    });
                }
            }
        }
        Ok(())
    }
}

/// What was written is removed also if it cannot be read.
async fn probe(control: &Control, files: &Files, checks: &mut Vec<Check>) {
    let tree = &files.tree;
    let name = uuid::Uuid::new_v4().simple().to_string();
    let folder = tree.own(PROBES);
    let directory = below(&folder, &name);
    let key = below(&directory, PROBE);
    let content = Bytes::from(name.clone());
    let place = tree.uri(&key);
    let write = tree.write(&key, content.clone());
    let written = control.faults().around("storage.write-probe", write, super::no_answer).await;
    if let Err(error) = written {
        checks.push(Check::failed("write", &error));
        return;
    }
    checks.push(Check::passed("write", format!("{place} was written")));
    checks.push(match tree.folders(&folder).await {
        Ok(found) if found.contains(&name) => {
            Check::passed("list", format!("{} was listed", tree.uri(&folder)))
        }
        Ok(_) => Check {
            name: "list",
            outcome: CheckOutcome::Failed,
            detail: format!("{} does not list what was just written there", tree.uri(&folder)),
            remedy: Some("check that the endpoint is that of the S3 protocol, and that listings are not cached".to_owned()),
        },
        Err(error) => Check::failed("list", &error),
    });
    checks.push(match tree.read(&key, 1 << 10).await {
        Ok(Some(read)) if read == content => Check::passed("read", format!("{place} was read")),
        Ok(_) => Check {
            name: "read",
            outcome: CheckOutcome::Failed,
            detail: format!("{place} is not what was just written there"),
            remedy: Some("check that no cache stands before the storage".to_owned()),
        },
        Err(error) => Check::failed("read", &error),
    });
    let remove = tree.remove_below(&directory);
    let removed = control.faults().around("storage.remove-probe", remove, super::no_answer).await;
    checks.push(match removed {
        Ok(()) => Check::passed("delete", format!("{place} was deleted")),
        Err(error) => Check::failed("delete", &error),
    });
}
