//! The registry client. One [`Client`] serves any number of registries and may be cloned freely; the clones share
//! connections and tokens.

mod artifact;
mod authentication;
mod call;
mod check;
mod manifest;
mod pieces;
mod pull;
mod push;
mod referrers;
mod tags;
mod transport;

use std::{fmt, sync::Arc};

pub use artifact::ArtifactFile;
pub use check::Checked;
pub use manifest::{Image, Inspected, PlatformImage};
pub(crate) use manifest::{digest_from, images_in, parse};
pub(crate) use push::{Outgoing, Source};
pub use referrers::{Attached, Attachment};

use crate::{Error, Settings};
use call::{Call, Scope};
use transport::Transport;

/// Talks to registries by the OCI distribution protocol.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that has not connected to anything yet.
    ///
    /// # Errors
    /// `Invalid` if a certificate authority in the settings is not one.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { transport: Arc::new(Transport::new(settings)?) })
    }

    /// Checks that `registry` is there, speaks the protocol and accepts our credentials.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` if it cannot be reached, `Denied` if it does not accept us, `NotFound` or `Invalid` if it is no registry.
    pub async fn ping(&self, registry: &str) -> Result<(), Error> {
        let url = self.transport.url(registry, "")?;
        let call = Call::get(registry, url, "answer at all".to_owned(), Scope::none());
        self.transport.run(&call).await.map(drop)
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.transport.settings()
    }
}
