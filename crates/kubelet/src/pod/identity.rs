//! Who the container's process is: user, groups, capabilities.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
};

use nix::{
    sched::CloneFlags,
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};
use rustix::{
    fs::{FileType, Mode, OFlags},
    thread::{CapabilitySet, capability_is_in_bounding_set, remove_capability_from_bounding_set},
};

use super::{
    failure::{Failure, during},
    namespaces,
};
use crate::{protocol::IdMap, user_namespace};

/// Most that is read of `/etc/passwd` and `/etc/group`.
const LONGEST: u64 = 1 << 20;

/// Ids inside the user namespace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) group: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

impl User {
    /// Reads `user[:group]` with the container's own `/etc/passwd` and `/etc/group`.
    pub(super) fn resolve(
        text: &str,
        group: Option<u32>,
        supplementary: &[u32],
    ) -> Result<Self, Failure> {
        // Who cannot be looked up there is a number.
        let read = |path: &str| read(path).unwrap_or_default();
        let mut user = Self::find(text, &read("/etc/passwd"), &read("/etc/group"))?;
        user.group = group.unwrap_or(user.group);
        user.groups.extend(supplementary);
        Ok(user)
    }

    fn find(text: &str, passwd: &str, groups: &str) -> Result<Self, Failure> {
        let (name, group_name) = text.split_once(':').unwrap_or((text, ""));
        let name = if name.is_empty() { "0" } else { name };
        let entry = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() >= 6 && (fields[0] == name || fields[2] == name));
        let (id, mut group, home, login) = match &entry {
            Some(fields) => (
                parse_id(fields[2], "user")?,
                parse_id(fields[3], "group")?,
                fields[5].to_owned(),
                fields[0],
            ),
            None => (parse_id(name, "user")?, 0, "/".to_owned(), ""),
        };
        let lines = || {
            groups.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|f| f.len() >= 4)
        };
        let mut supplementary = Vec::new();
        if group_name.is_empty() {
            for fields in lines()
                .filter(|f| !login.is_empty() && f[3].split(',').any(|member| member == login))
            {
                supplementary.push(parse_id(fields[2], "group")?);
            }
        } else {
            group = match lines().find(|fields| fields[0] == group_name) {
                Some(fields) => parse_id(fields[2], "group")?,
                None => parse_id(group_name, "group")?,
            };
        }
        Ok(Self { id, group, groups: supplementary, home })
    }
}

/// What the container may have put there is read as the host's root, so neither a pipe may hold it up nor a device fill
/// its memory.
fn read(path: &str) -> Result<String, io::Error> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn parse_id(text: &str, kind: &str) -> Result<u32, Failure> {
    text.parse().map_err(|_| {
        let file = if kind == "user" { "passwd" } else { "group" };
        Failure::new(
            format!("unable to find {kind} {text}: no matching entries in {file} file"),
            io::ErrorKind::NotFound.into(),
        )
    })
}

/// Enters the pod's user namespace as `user` and gives up what containers do not have.
pub(super) fn assume(
    user: &User,
    namespace: &OwnedFd,
    capabilities: &[u32],
    map: IdMap,
) -> Result<(), Failure> {
    let owner = rustix::fs::Uid::from_raw(map.to_host(user.id));
    own(io::stdin(), owner).map_err(during("own the input"))?;
    own(io::stdout(), owner)
        .and_then(|()| own(io::stderr(), owner))
        .map_err(during("own the output"))?;
    if !map.is_one() {
        // In there, until the user changes, a pod that may trace would seize this process, which is the host's root.
        // With one id it is not, and has to write its own maps.
        nix::sys::prctl::set_dumpable(false).map_err(during("hide from tracers"))?;
    }
    namespaces::enter(namespace, CloneFlags::CLONE_NEWUSER)?;
    if map.is_one() {
        // It forbids setgroups, and there is nothing to choose from.
        rename(user)?;
    } else {
        let groups: Vec<Gid> = user.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups).map_err(during("set the groups"))?;
    }
    let (id, group) = (Uid::from_raw(user.id), Gid::from_raw(user.group));
    setresgid(group, group, group).map_err(during(format!("become group {group}")))?;
    // Entering the namespace filled the bounding set again, so it is emptied here and not earlier.
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match capability_is_in_bounding_set(capability) {
            Ok(true) if !capabilities.contains(&number) => {
                remove_capability_from_bounding_set(capability)
                    .map_err(during(format!("drop the capability {number}")))?;
            }
            Ok(_) => {}
            // The kernel knows no further ones.
            Err(_) => break,
        }
    }
    setresuid(id, id, id).map_err(during(format!("become user {id}")))?;
    rustix::thread::set_no_new_privs(true).map_err(during("renounce new privileges"))
}

/// The one id that there is gets the numbers of `user`, in a namespace of its own: databases, for one, refuse to run as
/// root. A further process of a container finds them there.
fn rename(user: &User) -> Result<(), Failure> {
    let (id, group) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
    if (id, group) == (user.id, user.group) {
        return Ok(());
    }
    user_namespace::make((user.id, id), (user.group, group)).map_err(|(step, source)| {
        Failure::new(format!("become user {} in a namespace of its own: {step}", user.id), source)
    })
}

/// Programs open `/dev/stdin` and its like by name, which asks for the owner of the pipe. What is no pipe and no terminal is
/// not the container's alone: `/dev/null` is that of the host.
fn own(descriptor: impl AsFd, owner: rustix::fs::Uid) -> Result<(), rustix::io::Errno> {
    let mode = rustix::fs::fstat(&descriptor)?.st_mode;
    if FileType::from_raw_mode(mode) == FileType::Fifo || rustix::termios::isatty(&descriptor) {
        rustix::fs::fchown(descriptor, Some(owner), None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, User, read};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nflink:x:9999:9998:f:/opt/flink:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nflink:x:9998:\ndata:x:50:flink,other\n";

    fn find(text: &str) -> (u32, u32, Vec<u32>, String) {
        let user = User::find(text, PASSWD, GROUPS).unwrap();
        (user.id, user.group, user.groups, user.home)
    }

    #[test]
    fn users_are_found_by_name_and_by_number() {
        assert_eq!(find(""), (0, 0, vec![], "/root".into()));
        assert_eq!(find("flink"), (9999, 9998, vec![50], "/opt/flink".into()));
        assert_eq!(find("9999"), (9999, 9998, vec![50], "/opt/flink".into()));
        assert_eq!(find("flink:data"), (9999, 50, vec![], "/opt/flink".into()));
        assert_eq!(find("1234"), (1234, 0, vec![], "/".into()));
        assert_eq!(find("1234:5"), (1234, 5, vec![], "/".into()));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_it() {
        let failure = User::find("nobody-here", PASSWD, GROUPS).unwrap_err();
        assert_eq!(
            failure.step,
            "unable to find user nobody-here: no matching entries in passwd file"
        );
    }

    #[test]
    fn only_files_are_read_and_not_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("file"), PASSWD).unwrap();
        assert_eq!(read(&path("file")).unwrap(), PASSWD);
        std::fs::write(path("large"), " ".repeat(3 << 20)).unwrap();
        assert_eq!(read(&path("large")).unwrap().len() as u64, LONGEST);
        nix::unistd::mkfifo(&*path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
        for name in ["pipe", "link", "none"] {
            assert!(read(&path(name)).is_err(), "{name}");
        }
    }
}
