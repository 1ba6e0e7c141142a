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

    /// What Docker's or Podman's own configuration of this user says about `registry`, credential helpers included.
    ///
    /// # Errors
    /// `Invalid` if the configuration or a helper is broken. That there is none is `None`.
    pub async fn from_docker_configuration(registry: &str) -> Result<Option<Self>, Error> {
        let key = if registry == "docker.io" { DOCKER_HUB_KEY } else { registry }.to_owned();
        // Helpers are child processes that are waited for.
        let found = tokio::task::spawn_blocking(move || {
            docker_credential::get_credential(&key).or_else(|error| {
                if is_absent(&error) {
                    docker_credential::get_podman_credential(&key)
                } else {
                    Err(error)
                }
            })
        })
        .await
        .map_err(|_| Error::Interrupted { step: "looking up credentials" })?;
        match found {
            Ok(DockerCredential::IdentityToken(token)) => {
                Ok(Some(Self::IdentityToken(Secret::new(token))))
            }
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Self::basic(username, password)))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::LookUpCredential {
                registry: registry.to_owned(),
                problem: describe(&error),
            }),
        }
    }
}

fn is_absent(error: &CredentialRetrievalError) -> bool {
    matches!(
        error,
        CredentialRetrievalError::NoCredentialConfigured
            | CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError
    )
}

/// A helper's output can hold a secret, so only its name is repeated.
fn describe(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            format!("the helper {helper} failed")
        }
        other => other.to_string(),
    }
}
