use std::ffi::OsString;

use flumen_api_types::{Cluster, Page, ServerVersion};
use url::Url;

use crate::{Error, GlobalArguments, Settings, client::Client};

/// What a look at the server found.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it is.
    pub url: Url,
    /// Its version.
    pub version: String,
    /// Its clusters, each asked just now.
    pub clusters: Vec<Cluster>,
}

/// Looks whether the server answers, and what its clusters say.
///
/// # Errors
/// No server is known, it does not answer, or it refuses the token.
pub fn look(
    arguments: &GlobalArguments,
    variables: fn(&str) -> Option<OsString>,
) -> Result<Seen, Error> {
    let settings = Settings::resolve(arguments, &variables)?;
    let client = Client::new(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Error::Runtime { source })?.block_on(async {
        let version: ServerVersion =
            client.get("ask for the server's version", &["version"], &()).await?;
        let clusters: Page<Cluster> =
            client.get("list clusters", &["clusters"], &[("limit", 500)]).await?;
        Ok(Seen {
            url: settings.server.clone(),
            version: version.version,
            clusters: clusters.items,
        })
    })
}
