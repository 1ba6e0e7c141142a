//! From a container's specification and image to what the helper is told. Pure, except for [`Mount`]s, whose sources
//! are looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use k8s_openapi::api::core::v1::{Container, Pod};

use crate::{
    environment::{expand, expand_strictly},
    images::{Image, RunConfiguration},
    protocol::{self, IdMap, Mount},
    volumes::{self, Volumes},
};

/// Why a container cannot be configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("container has runAsNonRoot and image will run as root (container: {container})")]
    Root { container: String },
    #[error(
        "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root (container: {container})"
    )]
    UnknownUser { container: String, user: String },
    #[error(
        "user {user} of container {container} is outside of the {size} ids that pods have on this node"
    )]
    OutsideIds { container: String, user: i64, size: u32 },
    #[error("unknown capability {capability} in container {container}")]
    Capability { container: String, capability: String },
    #[error("no command specified for container {container}, and its image has none")]
    NoCommand { container: String },
    #[error("missing value for {names}")]
    SubPathVariable { names: String },
    #[error("could not find the volumes of container {container}")]
    Volume {
        container: String,
        #[source]
        source: volumes::Error,
    },
}

/// By number, as Linux has them.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];
/// What container engines leave to a container by default.
const USUAL_CAPABILITIES: [u32; 14] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

/// Directories of one attempt of a container.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) directory: PathBuf,
    pub(crate) layers: PathBuf,
}

/// What is needed beside the specification.
pub(crate) struct Context<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) container: &'a Container,
    pub(crate) image: &'a Image,
    /// Variables of the specification and of services.
    pub(crate) variables: &'a BTreeMap<String, String>,
    pub(crate) ids: IdMap,
}

impl Context<'_> {
    /// The whole configuration for the helper. `fixed` are mounts that every container has.
    pub(crate) fn build(
        &self,
        places: &Places,
        volumes: &Volumes,
        fixed: Vec<Mount>,
    ) -> Result<protocol::Container, Error> {
        let run = &self.image.run;
        let (user, group) = self.user(run)?;
        let mut mounts = self.mounts(volumes)?;
        // What the specification mounts itself has precedence.
        let own: Vec<PathBuf> = mounts.iter().map(|mount| mount.target.clone()).collect();
        mounts.extend(fixed.into_iter().filter(|mount| !own.contains(&mount.target)));
        let layers = if self.image.layers.is_empty() {
            vec!["empty".to_owned()]
        } else {
            self.image.layers.clone()
        };
        let working_directory = self.container.working_dir.clone().filter(|path| !path.is_empty());
        Ok(protocol::Container {
            root: places.directory.join("root"),
            layers_directory: places.layers.clone(),
            layers,
            upper: places.directory.join("upper"),
            work: places.directory.join("work"),
            host_directories: run.host_directories.clone(),
            mounts,
            map: self.ids,
            command: self.command(run)?,
            environment: self.environment(run),
            working_directory: working_directory.unwrap_or_else(|| run.working_directory.clone()),
            user,
            group,
            supplementary_groups: self.supplementary_groups(),
            capabilities: self.capabilities()?,
            read_only_root: self.security(|c| c.read_only_root_filesystem).unwrap_or_default(),
            cgroups: protocol::ControlGroups::default(),
        })
    }

    fn name(&self) -> String {
        self.container.name.clone()
    }

    fn security<T>(
        &self,
        field: impl Fn(&k8s_openapi::api::core::v1::SecurityContext) -> Option<T>,
    ) -> Option<T> {
        self.container.security_context.as_ref().and_then(field)
    }

    fn command(&self, run: &RunConfiguration) -> Result<Vec<String>, Error> {
        let expand = |words: &[String]| {
            words.iter().map(|word| expand(word, self.variables)).collect::<Vec<_>>()
        };
        let given = self.container.command.as_deref().filter(|command| !command.is_empty());
        let arguments = self.container.args.as_deref().filter(|args| !args.is_empty());
        let mut command = match given {
            Some(command) => expand(command),
            None => run.entrypoint.clone(),
        };
        match (given, arguments) {
            (_, Some(arguments)) => command.extend(expand(arguments)),
            (None, None) => command.extend(run.command.iter().cloned()),
            (Some(_), None) => {}
        }
        if command.is_empty() {
            Err(Error::NoCommand { container: self.name() })
        } else {
            Ok(command)
        }
    }

    fn environment(&self, run: &RunConfiguration) -> Vec<(String, String)> {
        let mut environment: BTreeMap<String, String> = run.environment.iter().cloned().collect();
        let host = self.pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
        let host = host.or_else(|| self.pod.metadata.name.clone()).unwrap_or_default();
        environment.insert("HOSTNAME".to_owned(), host);
        environment.extend(self.variables.clone());
        environment.into_iter().collect()
    }

    fn mounts(&self, volumes: &Volumes) -> Result<Vec<Mount>, Error> {
        let mounts = self.container.volume_mounts.iter().flatten().map(|mount| {
            let sub_path = match &mount.sub_path_expr {
                Some(expression) => {
                    let names = |missing: BTreeSet<String>| {
                        missing.into_iter().collect::<Vec<_>>().join(", ")
                    };
                    expand_strictly(expression, self.variables)
                        .map_err(|missing| Error::SubPathVariable { names: names(missing) })?
                }
                None => mount.sub_path.clone().unwrap_or_default(),
            };
            volumes
                .source(self.pod, &self.container.name, mount, &sub_path)
                .map_err(|source| Error::Volume { container: self.name(), source })
        });
        mounts.collect()
    }

    /// `user` as in an image's configuration, and the group that replaces its own.
    fn user(&self, run: &RunConfiguration) -> Result<(String, Option<u32>), Error> {
        let pod = self.pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        let user = self.security(|c| c.run_as_user).or_else(|| pod.and_then(|c| c.run_as_user));
        let group = self.security(|c| c.run_as_group).or_else(|| pod.and_then(|c| c.run_as_group));
        let non_root =
            self.security(|c| c.run_as_non_root).or_else(|| pod.and_then(|c| c.run_as_non_root));
        // One that is alone may have any number.
        let size = if self.ids.is_one() { u32::MAX } else { self.ids.size };
        for id in [user, group].into_iter().flatten() {
            if u32::try_from(id).is_ok_and(|id| id < size) {
                continue;
            }
            return Err(Error::OutsideIds { container: self.name(), user: id, size });
        }
        let text = user.map_or_else(|| run.user.clone(), |user| user.to_string());
        if non_root == Some(true) {
            let name = text.split(':').next().unwrap_or_default();
            match name.parse::<u32>() {
                Ok(0) => return Err(Error::Root { container: self.name() }),
                Err(_) if name.is_empty() || name == "root" => {
                    return Err(Error::Root { container: self.name() });
                }
                Err(_) => {
                    return Err(Error::UnknownUser {
                        container: self.name(),
                        user: name.to_owned(),
                    });
                }
                Ok(_) => {}
            }
        }
        Ok((text, group.and_then(|group| u32::try_from(group).ok())))
    }

    fn supplementary_groups(&self) -> Vec<u32> {
        let pod = self.pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        let supplementary =
            pod.and_then(|context| context.supplemental_groups.as_deref()).unwrap_or_default();
        let fs_group = pod.and_then(|context| context.fs_group);
        supplementary
            .iter()
            .copied()
            .chain(fs_group)
            .filter_map(|group| u32::try_from(group).ok())
            .collect()
    }

    fn capabilities(&self) -> Result<Vec<u32>, Error> {
        let mut kept = USUAL_CAPABILITIES.to_vec();
        let Some(wanted) = self.security(|c| c.capabilities.clone()) else { return Ok(kept) };
        let numbers = |name: &str| -> Result<Vec<u32>, Error> {
            let name = name.to_uppercase();
            let name = name.strip_prefix("CAP_").unwrap_or(&name);
            if name == "ALL" {
                return Ok((0..41).collect());
            }
            let found =
                (0..).zip(CAPABILITIES).find(|(_, known)| *known == name).map(|(number, _)| number);
            let unknown =
                || Error::Capability { container: self.name(), capability: name.to_owned() };
            Ok(vec![found.ok_or_else(unknown)?])
        };
        for name in wanted.drop.iter().flatten() {
            let dropped = numbers(name)?;
            kept.retain(|number| !dropped.contains(number));
        }
        for name in wanted.add.iter().flatten() {
            kept.extend(numbers(name)?);
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(kept)
    }
}

#[cfg(test)]
mod tests;
