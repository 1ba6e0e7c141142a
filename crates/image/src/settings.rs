use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use flumen_model::{InvalidValue, Secret};

use crate::Credential;

/// How registries are spoken to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Registries (`host` or `host:port`) that are spoken to by HTTP without TLS. Loopback hosts always are.
    /// Default: none.
    pub plain_http: BTreeSet<String>,
    /// Who we are, by registry (`host` or `host:port`; Docker Hub is `docker.io`). Default: nobody.
    pub credentials: BTreeMap<String, Credential>,
    /// PEM certificates that are trusted besides the system's. Default: none.
    pub certificate_authorities: Vec<Vec<u8>>,
    /// Proxy for every registry that is not on this machine, `http://[user:password@]host:port`.
    /// Default: what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    pub proxy: Option<Secret>,
    /// Which image is taken from an index of several. Default: `linux/amd64`.
    pub platform: Platform,
    /// How long a connection may take to stand. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long a registry may be silent within an answer. Default: 60 s.
    pub read_timeout: Duration,
    /// What happens when a registry is unavailable. Default: four tries, starting 200 ms apart.
    pub retry: Retry,
    /// Size of the pieces in which a blob is sent to a registry that does not take it whole, or not at the first try.
    /// Default: 16 MiB.
    pub chunk_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            plain_http: BTreeSet::new(),
            credentials: BTreeMap::new(),
            certificate_authorities: Vec::new(),
            proxy: None,
            platform: Platform::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_mins(1),
            retry: Retry::default(),
            chunk_bytes: 16 * 1024 * 1024,
        }
    }
}

/// An operating system and a processor, in Go's words as images use them: `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// For example `linux`.
    pub os: String,
    /// For example `amd64`.
    pub architecture: String,
    /// For example `v7`. Default: none, and an image of any variant will do.
    pub variant: Option<String>,
}

impl Default for Platform {
    fn default() -> Self {
        Self { os: "linux".into(), architecture: "amd64".into(), variant: None }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(out, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() < 2 && parts.iter().all(is_word) => {
                Ok(Self {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|variant| (*variant).to_owned()),
                })
            }
            _ => Err(InvalidValue::new(
                "platform",
                text,
                "expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64",
            )),
        }
    }
}

impl Platform {
    /// Whether an image for `other` is one for this.
    pub(crate) fn takes(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_none() || self.variant == other.variant)
    }
}

/// How often and how fast a call that changes nothing when repeated is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// Tries in all, at least one. Default: 4.
    pub attempts: u32,
    /// Wait before the second try; it doubles each time. Default: 200 ms.
    pub first_wait: Duration,
    /// No wait is longer than this, whatever the registry asks for. Default: 10 s.
    pub longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

impl Retry {
    /// The wait after the failed try number `attempt` (from 1).
    pub(crate) fn wait_after(self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }
}
