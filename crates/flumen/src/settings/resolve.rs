use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Result, bail};
use flumen_cli::{Variables, variable};

use super::{
    Settings,
    file::{self, File},
    keys,
    values::{Address, Count, Memory},
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
    pub(crate) variables: Variables<'a>,
}

/// Where the desktop's rules put things of a sort: a variable says it, else it is a folder at home.
#[derive(Clone, Copy)]
struct Base {
    variable: &'static str,
    below: &'static str,
}

const DATA_BASE: Base = Base { variable: "XDG_DATA_HOME", below: ".local/share" };
const CACHE_BASE: Base = Base { variable: "XDG_CACHE_HOME", below: ".cache" };
const CONFIG_BASE: Base = Base { variable: "XDG_CONFIG_HOME", below: ".config" };

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
        let mut reader = Reader::new(self);
        reader.load_file();
        let settings = reader.settings();
        match settings.filter(|_| reader.problems.is_empty()) {
            Some(settings) => Ok(Resolved { settings, values: reader.values }),
            None => bail!(Wrong(complain(&reader.problems))),
        }
    }

    /// Resolves the data directory alone; none where nothing says where it is. The settings file is read
    /// only where it decides, so that a client that names the directory is free of it.
    pub(crate) fn resolve_data_directory(self) -> Result<Option<PathBuf>> {
        let mut reader = Reader::new(self);
        let named = reader.text(keys::DATA_DIRECTORY);
        if named.is_ok_and(|named| named.is_none()) {
            reader.load_file();
        }
        let directory = reader.directory(keys::DATA_DIRECTORY, DATA_BASE);
        match reader.heed(directory) {
            Some(directory) if reader.problems.is_empty() => Ok(directory),
            _ => bail!(Wrong(complain(&reader.problems))),
        }
    }

    fn named_file(&self) -> Result<Option<PathBuf>, String> {
        match self.file {
            Some(file) => Ok(Some(file.to_owned())),
            None => Ok(self.variable(keys::FILE_VARIABLE)?.map(PathBuf::from)),
        }
    }

    fn usual_files(&self) -> Result<Vec<PathBuf>, String> {
        let base = self.home(CONFIG_BASE)?;
        let own = base.map(|base| base.join("flumen/flumen.toml"));
        Ok(own.into_iter().chain([PathBuf::from("/etc/flumen/flumen.toml")]).collect())
    }

    fn home(&self, Base { variable, below }: Base) -> Result<Option<PathBuf>, String> {
        if let Some(given) = self.variable(variable)? {
            return Ok(Some(given.into()));
        }
        Ok(self.variable("HOME")?.map(|home| PathBuf::from(home).join(below)))
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        variable(self.variables, name).map_err(|error| error.to_string())
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

impl<'a> Reader<'a> {
    fn new(sources: Sources<'a>) -> Self {
        Self { sources, file: File::default(), problems: Vec::new(), values: Vec::new() }
    }

    fn load_file(&mut self) {
        let Some(named) = self.heed(self.sources.named_file()) else { return };
        let Some(usual) = self.heed(self.sources.usual_files()) else { return };
        self.file = file::load(named, &usual);
        self.problems.append(&mut self.file.problems);
    }

    /// What was found, where nothing is wrong with it.
    fn heed<T>(&mut self, found: Result<T, String>) -> Option<T> {
        found.map_err(|problem| self.complain(problem)).ok()
    }

    fn complain(&mut self, problem: String) {
        // HOME is behind several values.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// All settings, in the order of the keys; none where a value is missing or wrong.
    fn settings(&mut self) -> Option<Settings> {
        let data_directory = self.required_directory(keys::DATA_DIRECTORY, DATA_BASE);
        let cache_directory = self.required_directory(keys::CACHE_DIRECTORY, CACHE_BASE);
        let listen = self.required::<Address>(keys::LISTEN, "127.0.0.1:7600");
        let ui_listen = self.required::<Address>(keys::UI_LISTEN, "127.0.0.1:7601");
        let pod_url = self.optional(keys::POD_URL);
        let artifact_limit = self.required(keys::ARTIFACT_LIMIT, "4g");
        let keep_releases = self.required(keys::KEEP_RELEASES, "20");
        let keep_unused = self.required(keys::KEEP_UNUSED, "24h");
        let maven = self.optional(keys::MAVEN_SETTINGS);
        let python_index = self.required(keys::PYTHON_INDEX, flumen_python::PUBLIC_INDEX);
        let release_policy = self.optional(keys::RELEASE_POLICY);
        let registry_credentials = self.optional(keys::REGISTRY_CREDENTIALS);
        let registry_ca = self.optional(keys::REGISTRY_CA);
        let insecure_registries = self.optional(keys::INSECURE_REGISTRIES);
        let cluster_commands = self.optional(keys::CLUSTER_COMMANDS);
        let secret_key_file = self.optional(keys::SECRET_KEY_FILE);
        let kubernetes_listen = self.required::<Address>(keys::KUBERNETES_LISTEN, "127.0.0.1:7602");
        let registry_listen = self.required::<Address>(keys::REGISTRY_LISTEN, "127.0.0.1:7603");
        let allocatable_cpu = self.optional(keys::ALLOCATABLE_CPU);
        let allocatable_memory = self.optional::<Memory>(keys::ALLOCATABLE_MEMORY);
        let nodes = self.required::<Count<u8, 1, 20>>(keys::NODES, "1");
        let pretend_nodes = self.required::<Count<u16, 0, 1000>>(keys::PRETEND_NODES, "0");
        let control_plane = self.optional(keys::CONTROL_PLANE);
        let local_kubeconfig = self.optional(keys::LOCAL_KUBECONFIG);
        let local_registry = self.optional(keys::LOCAL_REGISTRY);
        self.both_or_neither(keys::LOCAL_KUBECONFIG, keys::LOCAL_REGISTRY);
        let log = self.required(keys::LOG, "info");
        let log_format = self.required(keys::LOG_FORMAT, "text");
        Some(Settings {
            data_directory: data_directory?,
            cache_directory: cache_directory?,
            listen: listen?.0,
            ui_listen: ui_listen?.0,
            pod_url,
            artifact_limit: artifact_limit?,
            keep_releases: keep_releases?,
            keep_unused: keep_unused?,
            maven,
            python_index: python_index?,
            release_policy,
            registry_credentials,
            registry_ca,
            insecure_registries,
            cluster_commands,
            secret_key_file,
            kubernetes_listen: kubernetes_listen?.0,
            registry_listen: registry_listen?.0,
            allocatable_cpu,
            allocatable_memory: allocatable_memory.map(|Memory(size)| size),
            nodes: nodes?.0,
            pretend_nodes: pretend_nodes?.0,
            control_plane,
            local_kubeconfig,
            local_registry,
            log: log?,
            log_format: log_format?,
        })
    }

    fn text(&self, key: &'static str) -> Result<Option<(String, Origin)>, String> {
        let flag = match self.sources.data_directory {
            Some(path) if key == keys::DATA_DIRECTORY => {
                let text = path.to_str();
                Some(text.ok_or_else(|| format!("--{key} is not UTF-8 text: {}", path.display()))?)
            }
            _ => self.sources.flags.get(key).map(String::as_str),
        };
        if let Some(text) = flag {
            return Ok(Some((text.to_owned(), Origin::Flag(key))));
        }
        let variable = keys::variable(key);
        if let Some(text) = self.sources.variable(&variable)? {
            return Ok(Some((text, Origin::Variable(variable))));
        }
        let origin = || Origin::File(self.file.path.clone());
        Ok(self.file.values.get(key).map(|text| (text.clone(), origin())))
    }

    fn required<T: FromStr<Err: fmt::Display>>(
        &mut self,
        key: &'static str,
        default: &str,
    ) -> Option<T> {
        let given = self.heed(self.text(key))?;
        let (text, origin) = given.unwrap_or_else(|| (default.to_owned(), Origin::Default));
        self.parse(key, text, origin)
    }

    fn optional<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<T> {
        let Some((text, origin)) = self.heed(self.text(key))? else {
            self.values.push((key, None, Origin::Default));
            return None;
        };
        self.parse(key, text, origin)
    }

    fn required_directory(&mut self, key: &'static str, base: Base) -> Option<PathBuf> {
        let missing = || format!("{key} must be given, because HOME is not set");
        let directory = self.directory(key, base).and_then(|found| found.ok_or_else(missing));
        self.heed(directory)
    }

    /// A directory as an absolute path, so that every process takes it for the same one; none where it
    /// is not given and there is no home for a default.
    fn directory(&mut self, key: &'static str, base: Base) -> Result<Option<PathBuf>, String> {
        let (text, origin) = match self.text(key)? {
            Some(given) => given,
            None => match self.sources.home(base)? {
                Some(base) => (base.join("flumen").display().to_string(), Origin::Default),
                None => return Ok(None),
            },
        };
        let path = std::path::absolute(&text)
            .map_err(|error| format!("{key} is {text:?} ({origin}): {error}"))?;
        self.values.push((key, Some(path.display().to_string()), origin));
        Ok(Some(path))
    }

    fn both_or_neither(&mut self, one: &'static str, other: &'static str) {
        let (Ok(one_given), Ok(other_given)) = (self.text(one), self.text(other)) else { return };
        let (given, origin, missing) = match (one_given, other_given) {
            (Some((_, origin)), None) => (one, origin, other),
            (None, Some((_, origin))) => (other, origin, one),
            _ => return,
        };
        self.problems.push(format!(
            "{given} is given ({origin}) and {missing} is not: expected both or neither"
        ));
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
                let text = without_user(&text);
                self.problems.push(format!("{key} is {text:?} ({origin}): {error}"));
                None
            }
        }
    }
}

/// A value as it may be told: a URL without user name and password.
fn without_user(text: &str) -> String {
    match text.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((_, host)))) => format!("{scheme}://…@{host}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
