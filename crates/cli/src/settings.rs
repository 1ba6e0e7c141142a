//! Which server, and as whom: flags over variables over what the server on this machine wrote down.

use std::path::Path;

use flumen_model::{EnvironmentName, Secret};
use url::Url;

use crate::{Error, GlobalArguments, ServerFile, Variables, variable};

/// The variable behind `--server`.
pub const SERVER: &str = "FLUMEN_SERVER";
/// The variable behind `--token`.
pub const TOKEN: &str = "FLUMEN_TOKEN";
/// The variable behind `--environment`.
const ENVIRONMENT: &str = "FLUMEN_ENVIRONMENT";

/// What a command needs to reach its server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API is.
    pub server: Url,
    /// Who asks; `None` is refused by all but a few endpoints.
    pub token: Option<Secret>,
    /// The environment of jobs that are named without one.
    pub environment: EnvironmentName,
}

impl Settings {
    /// Resolves the settings of a command. The data directory comes with the arguments: the binary settles
    /// it, by one rule for clients and the server.
    ///
    /// # Errors
    /// A value is not valid, or no server is known.
    pub fn resolve(arguments: &GlobalArguments, variables: Variables<'_>) -> Result<Self, Error> {
        let directory = arguments.data_directory.as_deref();
        let noted = directory.map_or(Ok(None), noted);
        let named = given(arguments.server.as_deref(), variables, SERVER)?;
        let (server, is_local) = if let Some(text) = named {
            let server = parse_server(&text)?;
            let is_local = matches!(&noted, Ok(Some(file)) if file.url.origin() == server.origin());
            (server, is_local)
        } else {
            let directory = directory.ok_or(Error::NoHome)?;
            let none = || Error::NoServer { file: ServerFile::path(directory) };
            (noted?.ok_or_else(none)?.url, true)
        };
        // The token of this machine's server is for that server only, never for one that was named.
        let token = match (given(arguments.token.as_deref(), variables, TOKEN)?, directory) {
            (None, Some(directory)) if is_local => read_token(directory)?,
            (token, _) => token.map(Secret::new),
        };
        let environment = variable(variables, ENVIRONMENT)?.unwrap_or_else(|| "local".to_owned());
        let environment = environment
            .parse()
            .map_err(|source| Error::Variable { variable: ENVIRONMENT, source })?;
        Ok(Self { server, token, environment })
    }
}

/// What a flag says, else its variable.
fn given(
    flag: Option<&str>,
    variables: Variables<'_>,
    name: &str,
) -> Result<Option<String>, Error> {
    match flag {
        Some(text) => Ok(Some(text.to_owned())),
        None => variable(variables, name),
    }
}

/// What the running server wrote down.
fn noted(directory: &Path) -> Result<Option<ServerFile>, Error> {
    ServerFile::load(directory)
        .map_err(|source| Error::ReadServerFile { file: ServerFile::path(directory), source })
}

fn parse_server(text: &str) -> Result<Url, Error> {
    let refuse = |reason: String| Error::Server { text: text.to_owned(), reason };
    let url: Url = text.parse().map_err(|error: url::ParseError| refuse(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("expected http:// or https:// and a host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not hold a user or password; use --token".to_owned()));
    }
    Ok(url)
}

fn read_token(directory: &Path) -> Result<Option<Secret>, Error> {
    let file = ServerFile::token_path(directory);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(Secret::new(text.trim().to_owned()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::ReadToken { file, source }),
    }
}

#[cfg(test)]
mod tests;
