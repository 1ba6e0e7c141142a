use std::{ffi::OsString, io, path::PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use flumen_model::Secret;

use crate::Error;

/// Who we are to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password or access token.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token that is exchanged for access tokens.
    IdentityToken(Secret),
    /// A bearer token that is sent as it is.
    Bearer(Secret),
}

/// The name that Docker keeps Docker Hub's credentials under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

impl Credential {
    /// A user name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { username: username.into(), password: Secret::new(password.into()) }
    }

    /// What files in the form of Docker's `config.json` say about `registry`, credential helpers included. The first
    /// file that knows the registry is believed; files that are not there are skipped.
    ///
    /// # Errors
    /// `Invalid` if a file or a helper is broken, `Unavailable` if a file cannot be read. That nobody knows the registry is `None`.
    pub async fn from_files(registry: &str, files: &[PathBuf]) -> Result<Option<Self>, Error> {
        let key = if registry == "docker.io" { DOCKER_HUB_KEY } else { registry }.to_owned();
        for file in files {
            let bytes = match tokio::fs::read(file).await {
                Ok(bytes) => bytes,
                Err(error) if is_missing(&error) => continue,
                Err(source) => return Err(Error::ReadFile { path: file.clone(), source }),
            };
            let key = key.clone();
            // Helpers are child processes that are waited for.
            let found = tokio::task::spawn_blocking(move || {
                docker_credential::get_credential_from_reader(bytes.as_slice(), &key)
            })
            .await
            .map_err(|_| Error::Interrupted { step: "looking up credentials" })?;
            match found {
                Ok(DockerCredential::IdentityToken(token)) => {
                    return Ok(Some(Self::IdentityToken(Secret::new(token))));
                }
                Ok(DockerCredential::UsernamePassword(username, password)) => {
                    return Ok(Some(Self::basic(username, password)));
                }
                Err(error) if knows_nothing(&error) => {}
                Err(error) => {
                    return Err(Error::LookUpCredential {
                        registry: registry.to_owned(),
                        file: file.clone(),
                        problem: describe(&error),
                    });
                }
            }
        }
        Ok(None)
    }
}

/// Where Docker and Podman keep credentials, by the environment's variables.
pub fn credential_files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let at_home = |path: &str| variable("HOME").map(|home| home.join(path));
    let docker = variable("DOCKER_CONFIG").or_else(|| at_home(".docker"));
    let session =
        variable("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json"));
    [
        docker.map(|directory| directory.join("config.json")),
        variable("REGISTRY_AUTH_FILE").or(session),
        at_home(".config/containers/auth.json"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What helpers print, by their protocol, if they have nothing.
const NOT_FOUND: &str = "credentials not found in native keychain";

fn knows_nothing(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            [stdout, stderr].iter().any(|text| text.contains(NOT_FOUND))
        }
        _ => false,
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A helper's output can hold a secret, so only its name is repeated.
fn describe(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            format!("the credential helper {helper} failed")
        }
        CredentialRetrievalError::HelperCommunicationError => {
            "a credential helper that it names cannot be run; its program must be on the PATH"
                .to_owned()
        }
        CredentialRetrievalError::MalformedHelperResponse => {
            "a credential helper that it names did not answer as it should".to_owned()
        }
        CredentialRetrievalError::ConfigReadError => {
            "it is not the JSON that `docker login` writes".to_owned()
        }
        CredentialRetrievalError::CredentialDecodingError => {
            "its `auth` is not a user name and a password in base64".to_owned()
        }
        CredentialRetrievalError::CredentialMismatchError => {
            "its `auth` says something else than its `username` and `password`".to_owned()
        }
        other => other.to_string(),
    }
}
