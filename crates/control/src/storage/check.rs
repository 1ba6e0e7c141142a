//! Whether the storage of an environment can be written, listed, read and cleaned, and whether Flink's plugin for it can be
//! had.

use bytes::Bytes;
use flumen_model::EnvironmentName;
use flumen_store::Environment;

use super::{Files, Look, below, plugin};
use crate::{Control, Error};

/// Below which probes lie for the moment that they are there.
const PROBES: &str = "flumen-probe";
const PROBE: &str = "probe";

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageCheck {
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

impl StorageCheck {
    fn passed(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, outcome: CheckOutcome::Passed, detail: detail.into(), remedy: None }
    }

    fn failed(name: &'static str, error: &Error) -> Self {
        let detail = error.paragraph();
        Self { name, outcome: CheckOutcome::Failed, detail, remedy: error.hint() }
    }
}

impl Control {
    /// Looks whether the storage of an environment can be used, by a probe that is gone afterwards. What goes wrong is in
    /// the answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown environment.
    pub async fn check_environment(
        &self,
        name: &EnvironmentName,
    ) -> Result<Vec<StorageCheck>, Error> {
        let environment = self.environment(name).await?;
        // Whoever has just corrected the keys wants to know of those.
        self.storages().forget(&environment.document);
        let mut checks = Vec::new();
        match self.storages().look(&environment).await {
            Err(error) => checks.push(StorageCheck::failed("keys", &error)),
            Ok(Look::Never(why)) => checks.push(StorageCheck {
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

    async fn check_plugins(
        &self,
        environment: &Environment,
        checks: &mut Vec<StorageCheck>,
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
                    checks.push(StorageCheck::passed(NAME, detail));
                }
                plugin::Delivery::Layer(plugin) => {
                    let found = self.plugin_artifact(&environment.name, plugin, version).await;
                    checks.push(match found {
                        Ok(jar) => {
                            let jar = jar.name;
                            let detail = format!("{jar} is put into images of Flink {version}");
                            StorageCheck::passed(NAME, detail)
                        }
                        Err(error) => StorageCheck::failed(NAME, &error),
                    });
                }
            }
        }
        Ok(())
    }
}

/// What was written is removed also if it cannot be read.
async fn probe(control: &Control, files: &Files, checks: &mut Vec<StorageCheck>) {
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
        checks.push(StorageCheck::failed("write", &error));
        return;
    }
    checks.push(StorageCheck::passed("write", format!("{place} was written")));
    checks.push(match tree.folders(&folder).await {
        Ok(found) if found.contains(&name) => {
            StorageCheck::passed("list", format!("{} was listed", tree.uri(&folder)))
        }
        Ok(_) => StorageCheck {
            name: "list",
            outcome: CheckOutcome::Failed,
            detail: format!("{} does not list what was just written there", tree.uri(&folder)),
            remedy: Some("check that the endpoint is that of the S3 protocol, and that listings are not cached".to_owned()),
        },
        Err(error) => StorageCheck::failed("list", &error),
    });
    checks.push(match tree.read(&key, 1 << 10).await {
        Ok(Some(read)) if read == content => {
            StorageCheck::passed("read", format!("{place} was read"))
        }
        Ok(_) => StorageCheck {
            name: "read",
            outcome: CheckOutcome::Failed,
            detail: format!("{place} is not what was just written there"),
            remedy: Some("check that no cache stands before the storage".to_owned()),
        },
        Err(error) => StorageCheck::failed("read", &error),
    });
    let remove = tree.remove_below(&directory);
    let removed = control.faults().around("storage.remove-probe", remove, super::no_answer).await;
    checks.push(match removed {
        Ok(()) => StorageCheck::passed("delete", format!("{place} was deleted")),
        Err(error) => StorageCheck::failed("delete", &error),
    });
}
