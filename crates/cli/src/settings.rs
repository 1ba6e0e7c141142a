//! Which server, and as whom: flags over variables over what the server on this machine wrote down.

use std::path::{Path, PathBuf};

use flumen_model::{EnvironmentName, Secret};
use url::Url;

use crate::{Error, GlobalArguments, ServerFile};

/// The variable behind `--server`.
pub const SERVER: &str = "FLUMEN_SERVER";
/// The variable behind `--token`.
pub const TOKEN: &str = "FLUMEN_TOKEN";
/// The variable behind `--data-directory`.
pub const DATA_DIRECTORY: &str = "FLUMEN_DATA_DIRECTORY";
/// The variable behind `--environment`.
const ENVIRONMENT: &str = "FLUMEN_ENVIRONMENT";

/// Looks an environment variable up.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

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
    /// Resolves the settings of a command.
    ///
    /// # Errors
    /// A value is not valid, or no server is known.
    pub fn resolve(arguments: &GlobalArguments, variables: Variables<'_>) -> Result<Self, Error> {
        let directory = data_directory(arguments.data_directory.as_deref(), variables)?;
        let noted = ServerFile::load(&directory)
            .map_err(|source| Error::ReadServerFile { file: ServerFile::path(&directory), source });
        let given = arguments.server.clone().or_else(|| variables(SERVER));
        let (server, is_local) = match given {
            Some(text) => {
                let server = parse_server(&text)?;
                let is_local =
                    matches!(&noted, Ok(Some(file)) if file.url.origin() == server.origin());
                (server, is_local)
            }
            None => match noted? {
                Some(file) => (file.url, true),
                None => return Err(Error::NoServer { file: ServerFile::path(&directory) }),
            },
        };
        let token = arguments.token.clone().or_else(|| variables(TOKEN));
        // The token of this machine's server is for that server only, never for one that was named.
        let token = match token {
            None if is_local => read_token(&directory)?,
            token => token.map(Secret::new),
        };
        let environment = variables(ENVIRONMENT).unwrap_or_else(|| "local".to_owned());
        let environment = environment
            .parse()
            .map_err(|source| Error::Variable { variable: ENVIRONMENT, source })?;
        Ok(Self { server, token, environment })
    }
}

/// The data directory: the flag, else the variable, else where the desktop's rules put it.
///
/// # Errors
/// None is given and the home directory is not known.
pub fn data_directory(flag: Option<&Path>, variables: Variables<'_>) -> Result<PathBuf, Error> {
    let from_home = |variable: &str, rest: &str| {
        variables(variable)
            .filter(|value| !value.is_empty())
            .map(|home| PathBuf::from(home).join(rest))
    };
    flag.map(Path::to_owned)
        .or_else(|| variables(DATA_DIRECTORY).map(PathBuf::from))
        .or_else(|| from_home("XDG_DATA_HOME", "flumen"))
        .or_else(|| from_home("HOME", ".local/share/flumen"))
        .ok_or(Error::NoHome)
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
