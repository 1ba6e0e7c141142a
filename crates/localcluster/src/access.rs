//! Clients of the cluster's API, and the tokens that let them in.

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::Error;

/// A client by the text of a kubeconfig.
pub(crate) async fn client(kubeconfig: &str) -> Result<Client, Error> {
    let kubeconfig =
        Kubeconfig::from_yaml(kubeconfig).map_err(|error| Error::Client(error.into()))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| Error::Client(error.into()))?;
    // The kubelet has its own ideas about what to try again, and when.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| Error::Client(error.into()))
}

/// A token that nobody guesses.
pub(crate) fn random_token() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
