use std::path::{Path, PathBuf};

use flumen_model::Secret;
use roxmltree::Node;

use super::{
    Proxy, Remote, Settings,
    mirror::{self, Mirror},
    password,
};
use crate::{
    error::Error,
    xml::{self, child, listed, text_of},
};

/// Where settings come from. Files that are not there say nothing.
pub struct SettingsFiles<'a> {
    /// The user's home directory, whose `.m2` has settings, master password and local repository.
    pub home: PathBuf,
    /// The user's settings, where that is another file than `~/.m2/settings.xml`.
    pub user: Option<PathBuf>,
    /// Settings of an installed Maven, which those of the user override.
    pub installed: Vec<PathBuf>,
    /// Values of environment variables, for `${env.NAME}`.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What one file says.
#[derive(Default)]
struct File {
    local_repository: Option<String>,
    offline: bool,
    mirrors: Vec<Mirror>,
    servers: Vec<Server>,
    repositories: Vec<Declared>,
    proxies: Vec<DeclaredProxy>,
}

#[derive(Clone)]
struct Server {
    id: String,
    username: String,
    password: String,
    headers: Vec<(String, Secret)>,
}

struct Declared {
    id: String,
    url: String,
    releases: bool,
    snapshots: bool,
}

struct DeclaredProxy {
    protocol: String,
    host: String,
    port: Option<String>,
    not_for: String,
    username: Option<String>,
    password: String,
}

struct Loading<'a> {
    files: &'a SettingsFiles<'a>,
    all: File,
}

const DEFAULT_PARALLEL: usize = 8;
/// As Maven has it.
const DEFAULT_PROXY_PORT: u16 = 8080;

/// Where Maven lies when no variable says so.
const INSTALLED: [&str; 2] = ["/etc/maven/settings.xml", "/usr/share/maven/conf/settings.xml"];

/// The settings of an installed Maven: of `MAVEN_HOME` or `M2_HOME`, else where Debian puts them.
pub fn installed(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    ["MAVEN_HOME", "M2_HOME"]
        .iter()
        .filter_map(|name| variable(name))
        .map(|home| PathBuf::from(home).join("conf/settings.xml"))
        .chain(INSTALLED.iter().map(PathBuf::from))
        .find(|file| file.is_file())
}

/// Reads the settings. `repositories` are those of flags: with them, those of the settings and mirrors do not count, but
/// credentials do.
///
/// # Errors
/// `Invalid` if a file is no settings file, an address is none, or a password that is needed cannot be decrypted.
pub fn load(files: &SettingsFiles<'_>, repositories: Vec<Remote>) -> Result<Settings, Error> {
    let user = files.user.clone().unwrap_or_else(|| files.home.join(".m2/settings.xml"));
    let mut loading = Loading { files, all: File::default() };
    let is_needed = files.user.is_some();
    loading.add(&user, is_needed)?;
    for installed in &files.installed {
        loading.add(installed, false)?;
    }
    let home = |path: String| match path.strip_prefix("~/") {
        Some(rest) => files.home.join(rest),
        None => PathBuf::from(path),
    };
    let local = loading.all.local_repository.take().map(home);
    let from_flags = !repositories.is_empty();
    let mut found = if from_flags { repositories } else { loading.repositories()? };
    for remote in &mut found {
        loading.give_access(remote)?;
    }
    Ok(Settings {
        local_repository: local.unwrap_or_else(|| files.home.join(".m2/repository")),
        repositories: found,
        offline: loading.all.offline,
        proxies: loading.proxies()?,
        parallel: DEFAULT_PARALLEL,
    })
}

impl Loading<'_> {
    fn add(&mut self, path: &Path, is_needed: bool) -> Result<(), Error> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_needed => {
                return Ok(());
            }
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        let read = xml::read(&xml::decode(&bytes), "settings", |root| self.read(root));
        let file = read.map_err(|source| Error::ReadSettings { file: path.to_owned(), source })?;
        let all = &mut self.all;
        all.local_repository = all.local_repository.take().or(file.local_repository);
        all.offline |= file.offline;
        all.mirrors.extend(file.mirrors);
        all.servers.extend(file.servers);
        all.repositories.extend(file.repositories);
        all.proxies.extend(file.proxies);
        Ok(())
    }

    fn read(&self, root: Node<'_, '_>) -> File {
        let part = |node, name| text_of(node, name).map(|text| self.replace(&text));
        let text = |node, name| part(node, name).unwrap_or_default();
        let mirrors = listed(root, "mirrors", "mirror").map(|node| Mirror {
            id: text(node, "id"),
            url: text(node, "url"),
            stands_for: text(node, "mirrorOf"),
            blocked: text(node, "blocked") == "true",
        });
        let servers = listed(root, "servers", "server").map(|node| {
            let headers = child(node, "configuration")
                .into_iter()
                .flat_map(|node| listed(node, "httpHeaders", "property"))
                .map(|node| (text(node, "name"), Secret::new(text(node, "value"))));
            Server {
                id: text(node, "id"),
                username: text(node, "username"),
                password: text(node, "password"),
                headers: headers.collect(),
            }
        });
        let proxies = listed(root, "proxies", "proxy")
            .filter(|node| text(*node, "active") != "false")
            .map(|node| DeclaredProxy {
                protocol: part(node, "protocol").unwrap_or_else(|| "http".to_owned()),
                host: text(node, "host"),
                port: part(node, "port"),
                not_for: text(node, "nonProxyHosts"),
                username: part(node, "username"),
                password: text(node, "password"),
            });
        File {
            local_repository: part(root, "localRepository"),
            offline: text(root, "offline") == "true",
            mirrors: mirrors.collect(),
            servers: servers.collect(),
            repositories: self.active_repositories(root),
            proxies: proxies.collect(),
        }
    }

    /// Repositories of the profiles that are listed as active, or are active by default.
    fn active_repositories(&self, root: Node<'_, '_>) -> Vec<Declared> {
        let active: Vec<_> =
            listed(root, "activeProfiles", "activeProfile").map(xml::own_text).collect();
        let is_active = |node: &Node<'_, '_>| {
            let by_default = child(*node, "activation")
                .and_then(|node| text_of(node, "activeByDefault"))
                .is_some_and(|text| text == "true");
            by_default || text_of(*node, "id").is_some_and(|id| active.contains(&id))
        };
        let profiles = listed(root, "profiles", "profile").filter(is_active);
        let repositories = profiles.flat_map(|node| listed(node, "repositories", "repository"));
        let read = repositories.map(|node| {
            let part = |name| self.replace(&text_of(node, name).unwrap_or_default());
            let is_enabled = |name| {
                let policy = child(node, name).and_then(|node| text_of(node, "enabled"));
                policy.is_none_or(|text| text != "false")
            };
            Declared {
                id: part("id"),
                url: part("url"),
                releases: is_enabled("releases"),
                snapshots: is_enabled("snapshots"),
            }
        });
        read.collect()
    }

    /// The text with environment variables and the home directory in it; what is not known stays.
    fn replace(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else { break };
            out.push_str(before);
            let value = match name.strip_prefix("env.") {
                Some(name) => (self.files.variable)(name),
                None if name == "user.home" => Some(self.files.home.display().to_string()),
                None => None,
            };
            out.push_str(&value.unwrap_or_else(|| format!("${{{name}}}")));
            rest = tail;
        }
        out + rest
    }

    /// The repositories of the settings and Maven Central, with mirrors in their place, each once.
    fn repositories(&self) -> Result<Vec<Remote>, Error> {
        let mut found: Vec<Remote> = Vec::new();
        for declared in &self.all.repositories {
            let remote = Remote::new(&declared.id, &declared.url)?;
            let (releases, snapshots) = (declared.releases, declared.snapshots);
            found.push(Remote { releases, snapshots, ..remote });
        }
        if !found.iter().any(|remote| remote.id == "central") {
            found.push(Remote::central()?);
        }
        let mut result: Vec<Remote> = Vec::new();
        for remote in found {
            let remote = self.mirrored(remote)?;
            match result.iter_mut().find(|known| known.id == remote.id) {
                Some(known) => {
                    known.releases |= remote.releases;
                    known.snapshots |= remote.snapshots;
                }
                None => result.push(remote),
            }
        }
        Ok(result)
    }

    fn mirrored(&self, remote: Remote) -> Result<Remote, Error> {
        let Some(mirror) = mirror::choose(&self.all.mirrors, &remote.id, &remote.url) else {
            return Ok(remote);
        };
        if mirror.blocked {
            return Ok(Remote { blocked_by: Some(mirror.id.clone()), ..remote });
        }
        let (releases, snapshots) = (remote.releases, remote.snapshots);
        Ok(Remote { releases, snapshots, ..Remote::new(&mirror.id, &mirror.url)? })
    }

    fn give_access(&self, remote: &mut Remote) -> Result<(), Error> {
        let Some(server) = self.all.servers.iter().find(|server| server.id == remote.id) else {
            return Ok(());
        };
        if !server.username.is_empty() {
            let of = format!("the server {}", server.id);
            let password = self.decrypt(&server.password, of)?;
            remote.access.basic = Some((server.username.clone(), password));
        }
        remote.access.headers.clone_from(&server.headers);
        Ok(())
    }

    fn proxies(&self) -> Result<Vec<Proxy>, Error> {
        let read = |declared: &DeclaredProxy| {
            let DeclaredProxy { protocol, host, port, not_for, username, password } = declared;
            let port = match port {
                None => DEFAULT_PROXY_PORT,
                Some(text) => text
                    .parse()
                    .map_err(|_| Error::ReadPort { proxy: host.clone(), text: text.clone() })?,
            };
            let access = |user: &String| {
                let password = self.decrypt(password, format!("the proxy {host}"))?;
                Ok((user.clone(), password))
            };
            Ok(Proxy {
                protocol: protocol.clone(),
                host: host.clone(),
                port,
                not_for: not_for.split(['|', ',']).map(|one| one.trim().to_owned()).collect(),
                basic: username.as_ref().map(access).transpose()?,
            })
        };
        self.all.proxies.iter().map(read).collect()
    }

    fn decrypt(&self, text: &str, of: String) -> Result<Secret, Error> {
        let Some(inner) = password::encrypted(text) else {
            return Ok(Secret::new(text.to_owned()));
        };
        let master = self.master(self.files.home.join(".m2/settings-security.xml"));
        master
            .and_then(|master| password::decrypt(inner, &master))
            .map_err(|why| Error::Decrypt { of, why })
    }

    /// The master password; the file may name another file that has it, for example on a medium that is carried about.
    fn master(&self, mut file: PathBuf) -> Result<Secret, &'static str> {
        for _ in 0..5 {
            let bytes = std::fs::read(&file)
                .map_err(|_| "settings-security.xml with the master password cannot be read")?;
            let (relocation, master) =
                xml::read(&xml::decode(&bytes), "settingsSecurity", |root| {
                    (text_of(root, "relocation"), text_of(root, "master"))
                })
                .map_err(|_| "settings-security.xml is no such file")?;
            match (relocation, master) {
                (Some(relocation), _) => file = PathBuf::from(self.replace(&relocation)),
                (None, Some(master)) => return password::master(&master),
                (None, None) => return Err("settings-security.xml has no master password"),
            }
        }
        Err("settings-security.xml leads from file to file without end")
    }
}

#[cfg(test)]
mod tests;
