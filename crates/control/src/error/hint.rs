//! What to do about a failure.

use super::Error;

impl Error {
    /// What to do about it, in whole sentences.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Explanation(failure) => failure.hint().map(ToOwned::to_owned),
            Self::Dependencies { source, .. } => Some(match &**source {
                flumen_maven::Error::NotFound { .. } | flumen_maven::Error::Offline { .. } => {
                    "Check the coordinates. The server asks the repositories of the Maven settings on its machine; `flumen serve --maven-settings FILE` names others.".to_owned()
                }
                flumen_maven::Error::Contradiction { .. } | flumen_maven::Error::TooLarge { .. } => {
                    "Leave one of those that want it out with `exclude` in the job file.".to_owned()
                }
                other => return other.hint().map(ToOwned::to_owned),
            }),
            Self::Python { source, .. } => source.hint().map(ToOwned::to_owned),
            Self::Build { source, .. } => source.hint().map(ToOwned::to_owned),
            Self::Fetch { source, .. } => Some(fetch_hint(source)?.to_owned()),
            Self::FetchFromStorage { source, .. } if matches!(**source, flumen_storage::Error::TooLarge { .. }) => {
                Some("`flumen serve --artifact-limit` sets how large a file may be.".to_owned())
            }
            Self::Storage { source, .. } | Self::FetchFromStorage { source, .. } => {
                source.hint().map(ToOwned::to_owned)
            }
            Self::StorageKeys { .. } => Some(
                "Give the keys with `flumen environment apply`, or correct the Secret that `credentials` names.".to_owned(),
            ),
            Self::StoragePlugin { .. } => Some(
                "Add a Maven repository that has it to the server's Maven settings, or add the Flink version from a distribution whose folder `opt` has the jar.".to_owned(),
            ),
            Self::OtherContent { .. } => {
                Some("If the file was replaced on purpose, write its digest into the job file.".to_owned())
            }
            Self::Denied { .. } => Some(
                "The rules stand in the file that `flumen serve --release-policy` names; whoever keeps the server can change them.".to_owned(),
            ),
            Self::Registry(flumen_image::Error::Authenticate { .. }) => Some(
                "The server takes credentials from where `docker login` and `podman login` keep them; `flumen serve --registry-credentials FILE` names another file.".to_owned(),
            ),
            Self::Maven { source } => source.hint().map(ToOwned::to_owned),
            Self::Changed { .. } => {
                Some("Fetch it again and repeat the change with its new ETag.".to_owned())
            }
            Self::NoCluster { .. } => {
                Some("`flumen cluster list` shows those that there are; `flumen cluster add` adds one.".to_owned())
            }
            Self::Kubeconfig { source, .. } => source.hint().map(ToOwned::to_owned),
            Self::ClusterCommand { command, .. } => Some(format!(
                "Whoever keeps the server can allow it with `flumen serve --cluster-commands {command}`; or give a kubeconfig with the token of a service account.",
            )),
            Self::SecretKey { .. } => Some(
                "Put the key back that it was: its file, which is read again at once, or the variable FLUMEN_SECRET_KEY, with which the server must be started again. If it is lost, put another into the file (`openssl rand -hex 32`) and give each cluster its kubeconfig again with `flumen cluster edit`.".to_owned(),
            ),
            Self::Link { .. } => {
                Some("Pods find new links in the Secret of their run.".to_owned())
            }
            _ => None,
        }
    }
}

/// What to do about a file that cannot be fetched.
fn fetch_hint(error: &flumen_maven::Error) -> Option<&'static str> {
    match error {
        flumen_maven::Error::NoFile { .. } => Some("Check the URL."),
        flumen_maven::Error::Denied { .. } => Some(
            "Put user name and password under `servers` into the Maven settings on the server's machine, for a repository whose address the URL begins with; `flumen serve --maven-settings FILE` names others.",
        ),
        flumen_maven::Error::TooManyBytes { .. } => {
            Some("`flumen serve --artifact-limit` sets how large a file may be.")
        }
        _ => None,
    }
}
