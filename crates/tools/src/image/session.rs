//! From arguments to a client of registries.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fs,
    path::Path,
};

use flumen_image::{Client, Credential, Platform, Reference, Settings, credential_files};
use flumen_model::{InvalidValue, Secret};
use tokio::runtime::{Builder, Runtime};

use super::Connection;
use crate::{Error, Streams, progress};

/// A client and the runtime that it works in.
pub(crate) struct Session {
    runtime: Runtime,
    pub(crate) client: Client,
}

impl Session {
    /// `images` are those that will be read or written, whose registries want to know who we are.
    pub(crate) fn start(
        connection: &Connection,
        platform: Platform,
        images: &[&Reference],
        streams: &Streams<'_>,
    ) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Start { source })?;
        let files = match &connection.credentials {
            Some(file) => {
                read(file)?;
                vec![file.clone()]
            }
            None => credential_files(|name| (streams.variable)(name).map(Into::into)),
        };
        let registries: BTreeSet<&str> = images.iter().map(|image| image.registry()).collect();
        let mut credentials = BTreeMap::new();
        for registry in registries {
            let found = runtime.block_on(Credential::from_files(registry, &files))?;
            credentials.extend(found.map(|credential| (registry.to_owned(), credential)));
        }
        let authorities = connection.ca.iter().map(|file| read(file));
        let settings = Settings {
            plain_http: connection.insecure_registry.iter().cloned().collect(),
            credentials,
            certificate_authorities: authorities.collect::<Result<_, _>>()?,
            proxy: connection.proxy.clone(),
            platform,
            ..Settings::default()
        };
        Ok(Self { runtime, client: Client::new(settings)? })
    }

    /// Does the work; on a terminal, `line` says how far it is.
    pub(crate) fn run<T, E>(
        &self,
        line: impl Fn() -> String,
        work: impl Future<Output = Result<T, E>>,
        streams: &mut Streams<'_>,
    ) -> Result<T, Error>
    where
        Error: From<E>,
    {
        Ok(self.runtime.block_on(progress::show(line, work, streams))?)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|source| Error::ReadFile { file: file.display().to_string(), source })
}

/// The name of a registry.
pub(super) fn registry(text: &str) -> Result<String, InvalidValue> {
    let allowed = "expected a host name or address, with or without a port";
    Reference::new(text, "any")
        .map(|reference| reference.registry().to_owned())
        .map_err(|_| InvalidValue::new("registry", text, allowed))
}

/// A text that must not be printed.
#[expect(clippy::unnecessary_wraps, reason = "what clap calls gives a Result")]
pub(super) fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}
