//! Maven's `settings.xml`, as far as it says where artifacts come from.

mod mirror;
mod password;
mod read;

use std::{fmt, path::PathBuf};

use flumen_model::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

pub use read::{SettingsFiles, installed, load};

use crate::error::Error;

/// Where Maven Central is, as the super POM of Maven says.
pub const CENTRAL_URL: &str = "https://repo.maven.apache.org/maven2";

/// How artifacts are found and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where files are kept, in Maven's layout; Maven reads and writes the same. Default: `~/.m2/repository`.
    pub local_repository: PathBuf,
    /// The repositories, in the order in which they are asked. Default: Maven Central.
    pub repositories: Vec<Remote>,
    /// Whether nothing is asked. Default: no.
    pub offline: bool,
    /// Proxies, of which the first for a protocol counts. Default: none.
    pub proxies: Vec<Proxy>,
    /// Files that are fetched at the same time. Default: 8.
    pub parallel: usize,
}

/// A repository behind HTTP, or in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its id, by which credentials are found.
    pub id: String,
    /// Its address, without user and password.
    pub url: Url,
    /// Who asks.
    pub access: Access,
    /// Whether it is asked for versions that are no snapshots. Default: yes.
    pub releases: bool,
    /// Whether it is asked for snapshots. Default: of a flag yes, of Maven Central no.
    pub snapshots: bool,
    /// The mirror that forbids to ask it, if one does.
    pub blocked_by: Option<String>,
}

/// What a repository or proxy is told of who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// User name and password.
    pub basic: Option<(String, Secret)>,
    /// Headers with their values, such as the token that some servers take.
    pub headers: Vec<(String, Secret)>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The protocol of the addresses that it is for, `http` or `https`.
    pub protocol: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Hosts that it is not for; `*` stands for anything.
    pub not_for: Vec<String>,
    /// Who asks.
    pub basic: Option<(String, Secret)>,
}

impl Remote {
    /// A repository at an address; user and password in it are taken out.
    ///
    /// # Errors
    /// `Invalid` if the address is none of HTTP or of a directory.
    pub fn new(id: &str, address: &str) -> Result<Self, Error> {
        let refuse = || Error::Address { repository: id.to_owned() };
        let mut url = Url::parse(address.trim()).map_err(|_| refuse())?;
        if !matches!(url.scheme(), "http" | "https" | "file") {
            return Err(refuse());
        }
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = decoded(url.username());
        let basic = (!user.is_empty())
            .then(|| (user, Secret::new(decoded(url.password().unwrap_or_default()))));
        if basic.is_some() {
            url.set_username("").map_err(|()| refuse())?;
            url.set_password(None).map_err(|()| refuse())?;
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self {
            id: id.to_owned(),
            url,
            access: Access { basic, headers: Vec::new() },
            releases: true,
            snapshots: true,
            blocked_by: None,
        })
    }

    /// Maven Central.
    ///
    /// # Errors
    /// None: the address is one.
    pub fn central() -> Result<Self, Error> {
        Ok(Self { snapshots: false, ..Self::new("central", CENTRAL_URL)? })
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.id, self.url)
    }
}
