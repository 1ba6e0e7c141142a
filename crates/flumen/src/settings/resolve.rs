use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Result, bail};
use flumen_model::ByteSize;

use super::{
    Settings,
    file::{self, File},
    keys,
    values::Address,
};
use crate::{arguments::Flags, failure::Wrong};

/// Where settings come from.
pub(crate) struct Sources<'a> {
    /// What flags say, but for the two below.
    pub(crate) flags: Flags,
    /// `--config`.
    pub(crate) file: Option<&'a Path>,
    /// `--data-directory`.
    pub(crate) data_directory: Option<&'a Path>,
    /// Looks a variable up.
    pub(crate) variables: &'a dyn Fn(&str) -> Option<String>,
}

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => write!(out, "--{key}"),
            Self::Variable(name) => out.write_str(name),
            Self::File(path) => path.display().fmt(out),
            Self::Default => out.write_str("default"),
        }
    }
}

/// The settings, and of each value its text and origin.
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    pub(crate) values: Vec<(&'static str, Option<String>, Origin)>,
}

impl Sources<'_> {
    /// Resolves all settings. Everything that is wrong is said together.
    pub(crate) fn resolve(self) -> Result<Resolved> {
        let named = self
            .file
            .map(Path::to_owned)
            .or_else(|| (self.variables)(keys::FILE_VARIABLE).map(PathBuf::from));
        let file = file::load(named, &self.usual_files());
        let mut reader =
            Reader { problems: file.problems.clone(), file, sources: self, values: Vec::new() };
        let settings = reader.settings();
        match settings.filter(|_| reader.problems.is_empty()) {
            Some(settings) => Ok(Resolved { settings, values: reader.values }),
            None => bail!(Wrong(complain(&reader.problems))),
        }
    }

    fn usual_files(&self) -> Vec<PathBuf> {
        let base = self.home("XDG_CONFIG_HOME", ".config");
        let own = base.map(|base| base.join("flumen/flumen.toml"));
        own.into_iter().chain([PathBuf::from("/etc/flumen/flumen.toml")]).collect()
    }

    fn home(&self, variable: &str, below: &str) -> Option<PathBuf> {
        let given = |name: &str| (self.variables)(name).filter(|value| !value.is_empty());
        given(variable)
            .map(PathBuf::from)
            .or_else(|| given("HOME").map(|home| PathBuf::from(home).join(below)))
    }
}

fn complain(problems: &[String]) -> String {
    let mut text = "the settings are not valid".to_owned();
    for problem in problems {
        let _ = write!(text, "\n  {problem}");
    }
    text
}

struct Reader<'a> {
    sources: Sources<'a>,
    file: File,
    problems: Vec<String>,
    values: Vec<(&'static str, Option<String>, Origin)>,
}

impl Reader<'_> {
    /// All settings, in the order of the keys; none where a value is missing or wrong.
    fn settings(&mut self) -> Option<Settings> {
        let data =
            self.sources.home("XDG_DATA_HOME", ".local/share").map(|base| base.join("flumen"));
        let cache = self.sources.home("XDG_CACHE_HOME", ".cache").map(|base| base.join("flumen"));
        let data_directory = self.directory(keys::DATA_DIRECTORY, data);
        let cache_directory = self.directory(keys::CACHE_DIRECTORY, cache);
        let listen = self.required::<Address>(keys::LISTEN, "127.0.0.1:7600");
        let ui_listen = self.required::<Address>(keys::UI_LISTEN, "127.0.0.1:7601");
        let artifact_limit = self.required(keys::ARTIFACT_LIMIT, "4g");
        let kubernetes_listen = self.required::<Address>(keys::KUBERNETES_LISTEN, "127.0.0.1:7602");
        let registry_listen = self.required::<Address>(keys::REGISTRY_LISTEN, "127.0.0.1:7603");
        let allocatable_cpu = self.optional(keys::ALLOCATABLE_CPU);
        let allocatable_memory = self.optional::<ByteSize>(keys::ALLOCATABLE_MEMORY);
        let local_kubeconfig = self.optional(keys::LOCAL_KUBECONFIG);
        let local_registry = self.optional(keys::LOCAL_REGISTRY);
        let log = self.required(keys::LOG, "info");
        let log_format = self.required(keys::LOG_FORMAT, "text");
        Some(Settings {
            data_directory: data_directory?,
            cache_directory: cache_directory?,
            listen: listen?.0,
            ui_listen: ui_listen?.0,
            artifact_limit: artifact_limit?,
            kubernetes_listen: kubernetes_listen?.0,
            registry_listen: registry_listen?.0,
            allocatable_cpu,
            allocatable_memory,
            local_kubeconfig,
            local_registry,
            log: log?,
            log_format: log_format?,
        })
    }

    fn text(&self, key: &'static str) -> Option<(String, Origin)> {
        let variable = keys::variable(key);
        let flag = if key == keys::DATA_DIRECTORY {
            self.sources.data_directory.map(|path| path.display().to_string())
        } else {
            self.sources.flags.get(key).cloned()
        };
        flag.map(|text| (text, Origin::Flag(key)))
            .or_else(|| {
                (self.sources.variables)(&variable)
                    .map(|text| (text, Origin::Variable(variable.clone())))
            })
            .or_else(|| {
                self.file
                    .values
                    .get(key)
                    .map(|text| (text.clone(), Origin::File(self.file.path.clone())))
            })
    }

    fn required<T: FromStr<Err: fmt::Display>>(
        &mut self,
        key: &'static str,
        default: &str,
    ) -> Option<T> {
        let (text, origin) =
            self.text(key).unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.parse(key, text, origin)
    }

    fn optional<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<T> {
        let Some((text, origin)) = self.text(key) else {
            self.values.push((key, None, Origin::Default));
            return None;
        };
        self.parse(key, text, origin)
    }

    /// A directory as an absolute path, so that every process takes it for the same one.
    fn directory(&mut self, key: &'static str, default: Option<PathBuf>) -> Option<PathBuf> {
        let default = default.map(|path| (path.display().to_string(), Origin::Default));
        let Some((text, origin)) = self.text(key).or(default) else {
            self.problems.push(format!("{key} must be given, because HOME is not set"));
            return None;
        };
        match std::path::absolute(&text) {
            Ok(path) => {
                self.values.push((key, Some(path.display().to_string()), origin));
                Some(path)
            }
            Err(error) => {
                self.problems.push(format!("{key} is {text:?} ({origin}): {error}"));
                None
            }
        }
    }

    fn parse<T: FromStr<Err: fmt::Display>>(
        &mut self,
        key: &'static str,
        text: String,
        origin: Origin,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => {
                self.values.push((key, Some(text), origin));
                Some(value)
            }
            Err(error) => {
                self.problems.push(format!("{key} is {text:?} ({origin}): {error}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
