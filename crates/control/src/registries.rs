//! Clients of registries, and who Flumen is to each. The files that say so are read for each use: people log in while the
//! server runs, and what helpers give ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use flumen_image::{Client, Credential, Error, Reference, Settings};
use flumen_model::Kind;

use crate::RegistryAccess;

/// What is known of the registries that were spoken to. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Registries {
    access: Arc<RegistryAccess>,
    /// By registry.
    clients: Arc<Mutex<BTreeMap<String, Known>>>,
}

/// A client, which keeps its connections and tokens for as long as its credential stays.
#[derive(Debug)]
struct Known {
    credential: Option<Credential>,
    client: Client,
}

impl Registries {
    pub(crate) fn new(access: RegistryAccess) -> Self {
        Self { access: Arc::new(access), clients: Arc::default() }
    }

    /// A client of `registry`, by `host` or `host:port`.
    ///
    /// # Errors
    /// What is wrong with a file or a helper of credentials.
    pub(crate) async fn client(&self, registry: &str) -> Result<Client, Error> {
        let credential = Credential::from_files(registry, &self.access.credential_files).await?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(registry)
            && known.credential == credential
        {
            return Ok(known.client.clone());
        }
        let client = self.connect(registry, credential.clone())?;
        clients.insert(registry.to_owned(), Known { credential, client: client.clone() });
        Ok(client)
    }

    /// Whether an image cannot be had without credentials. Where Flumen has none itself, it can.
    ///
    /// # Errors
    /// What the registry says, but for a refusal.
    pub(crate) async fn is_private(&self, image: &Reference) -> Result<bool, Error> {
        let registry = image.registry();
        let files = &self.access.credential_files;
        if Credential::from_files(registry, files).await?.is_none() {
            return Ok(false);
        }
        match self.connect(registry, None)?.manifest_digest(image).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == Kind::Denied => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn connect(&self, registry: &str, credential: Option<Credential>) -> Result<Client, Error> {
        let RegistryAccess { certificate_authorities, plain_http, .. } = &*self.access;
        let credentials = credential.map(|credential| (registry.to_owned(), credential));
        Client::new(Settings {
            credentials: credentials.into_iter().collect(),
            certificate_authorities: certificate_authorities.clone(),
            plain_http: plain_http.clone(),
            ..Settings::default()
        })
    }
}
