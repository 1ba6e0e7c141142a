//! Files that no coordinates name.

use std::path::Path;

use tempfile::NamedTempFile;
use url::Url;

use super::Client;
use crate::{
    error::Error,
    settings::{Access, Remote},
};

impl Client {
    /// Fetches the file at an address of HTTP into a file in `directory` that ends in `.part` and vanishes unless it is
    /// kept. Proxies are those of the settings, and so is who asks, below the address of a repository that they name.
    /// No checksum is looked for, and the local repository is not used.
    ///
    /// # Errors
    /// `NotFound` if nothing lies there, `Denied`, `Unavailable` or `Timeout` as for repositories, `Invalid` if it is larger
    /// than `limit` bytes, or the address is none of HTTP.
    pub async fn fetch_url(
        &self,
        address: &str,
        directory: &Path,
        limit: u64,
    ) -> Result<NamedTempFile, Error> {
        let remote = self.remote_of(address)?;
        // Everything of the address but parameters, which are nobody's business.
        let mut shown = remote.url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        let name = shown.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned();
        let failed = |source| Error::Write { path: directory.to_owned(), source };
        let mut part =
            tempfile::Builder::new().suffix(".part").tempfile_in(directory).map_err(failed)?;
        let place = (name.as_str(), &remote.url);
        if self.transport.fetch_address(&remote, place, &mut part, limit).await? {
            return Ok(part);
        }
        Err(Error::NoFile { address: shown.to_string() })
    }

    /// Who asks at an address. It is called by the host, or by the repository that it lies in.
    fn remote_of(&self, address: &str) -> Result<Remote, Error> {
        let shown = address.split('?').next().unwrap_or_default();
        let refuse = || Error::Address { repository: shown.to_owned() };
        let url = Url::parse(address).map_err(|_| refuse())?;
        let (true, Some(host)) = (matches!(url.scheme(), "http" | "https"), url.host_str()) else {
            return Err(refuse());
        };
        let lies_in = |remote: &&Remote| {
            remote.url.origin() == url.origin() && url.path().starts_with(remote.url.path())
        };
        let repository = self.settings.repositories.iter().find(lies_in);
        Ok(Remote {
            id: repository.map_or_else(|| host.to_owned(), |remote| remote.id.clone()),
            access: repository.map_or_else(Access::default, |remote| remote.access.clone()),
            releases: true,
            snapshots: true,
            blocked_by: None,
            url,
        })
    }
}
