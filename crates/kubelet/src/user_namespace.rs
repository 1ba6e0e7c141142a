//! The user namespace in which an ordinary user is root over what is made in there, and over nothing else.

use std::{fs, io};

use nix::sched::{CloneFlags, unshare};

use crate::protocol::IdMap;

/// Why there is no such namespace.
#[derive(Debug, thiserror::Error)]
#[error("could not make the user namespace in which an ordinary user runs pods: {step}{}", hint(.switched_off.as_ref()))]
pub struct Error {
    step: &'static str,
    switched_off: Option<Switch>,
    #[source]
    source: io::Error,
}

/// A setting of the kernel that decides about such namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Switch {
    file: &'static str,
    name: &'static str,
    /// With this value there are none.
    off: &'static str,
    on: &'static str,
}

const SWITCHES: [Switch; 3] = [
    Switch {
        file: "/proc/sys/user/max_user_namespaces",
        name: "user.max_user_namespaces",
        off: "0",
        on: "10000",
    },
    // Of Debian and its descendants.
    Switch {
        file: "/proc/sys/kernel/unprivileged_userns_clone",
        name: "kernel.unprivileged_userns_clone",
        off: "0",
        on: "1",
    },
    // Of Ubuntu, from 23.10 on.
    Switch {
        file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        name: "kernel.apparmor_restrict_unprivileged_userns",
        off: "1",
        on: "0",
    },
];

fn hint(switched_off: Option<&Switch>) -> String {
    let Some(Switch { name, off, on, .. }) = switched_off else {
        return "; the kernel, or a container around this process, does not let it; run it as root, or elsewhere"
            .to_owned();
    };
    format!(
        "; the setting {name} is {off}; allow it with `sudo sysctl {name}={on}`, or run it as root"
    )
}

/// The first of the settings that is off, by what their files say.
fn switched_off(read: impl Fn(&str) -> Option<String>) -> Option<Switch> {
    SWITCHES
        .into_iter()
        .find(|switch| read(switch.file).is_some_and(|text| text.trim() == switch.off))
}

/// Moves the process of an ordinary user into a user namespace in which it is root, and does nothing for root.
///
/// Call it in `main`, before any other thread or runtime exists: the kernel moves only processes of one thread.
///
/// # Errors
/// If the kernel does not let it; the error names the setting and what to do.
pub fn enter_user_namespace() -> Result<(), Error> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() {
        return Ok(());
    }
    make((0, user.as_raw()), (0, group.as_raw())).map_err(|(step, source)| {
        let switched_off = switched_off(|path| fs::read_to_string(path).ok());
        Error { step, switched_off, source }
    })
}

/// Moves the caller into a user namespace of its own; of both pairs, the first number is seen in there in place of the second.
/// Fails with the step that failed.
pub(crate) fn make(user: (u32, u32), group: (u32, u32)) -> Result<(), (&'static str, io::Error)> {
    let during = |step| move |source| (step, source);
    unshare(CloneFlags::CLONE_NEWUSER)
        .map_err(|errno| ("could not enter it", io::Error::from(errno)))?;
    let line = |(inside, outside): (u32, u32)| format!("{inside} {outside} 1\n");
    // Without privileges a group map is only accepted from a process that can no longer set groups.
    fs::write("/proc/self/setgroups", "deny").map_err(during("could not renounce setgroups"))?;
    fs::write("/proc/self/gid_map", line(group)).map_err(during("could not map its group"))?;
    fs::write("/proc/self/uid_map", line(user)).map_err(during("could not map its user"))
}

/// What pods get of the ids that this process has: a range far from those of people, or else its own one.
pub(crate) fn ids() -> IdMap {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    ids_of(&[read("/proc/self/uid_map"), read("/proc/self/gid_map")])
}

/// By the maps of users and of groups.
fn ids_of(maps: &[String]) -> IdMap {
    let usual = IdMap { host: 1_000_000, size: 65_536 };
    let has_usual = |map: &String| {
        map.lines().any(|line| {
            let numbers: Vec<u64> =
                line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [first, _, count] = numbers[..] else { return false };
            let end = u64::from(usual.host) + u64::from(usual.size);
            first <= u64::from(usual.host) && end <= first + count
        })
    };
    if maps.iter().all(has_usual) { usual } else { IdMap::OWN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_that_forbids_it_is_named_with_the_command_that_allows_it() {
        let told = |file: &str, value: &str| {
            let switched_off = switched_off(|path| (path == file).then(|| format!("{value}\n")));
            Error { step: "s", switched_off, source: io::ErrorKind::PermissionDenied.into() }
                .to_string()
        };
        for (file, off, on, command) in [
            ("/proc/sys/user/max_user_namespaces", "0", "7", "user.max_user_namespaces=10000"),
            (
                "/proc/sys/kernel/unprivileged_userns_clone",
                "0",
                "1",
                "kernel.unprivileged_userns_clone=1",
            ),
            (
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "1",
                "0",
                "kernel.apparmor_restrict_unprivileged_userns=0",
            ),
        ] {
            assert!(
                told(file, off).contains(&format!("`sudo sysctl {command}`")),
                "{}",
                told(file, off)
            );
            assert!(told(file, on).contains("does not let it"), "{}", told(file, on));
        }
    }

    #[test]
    fn pods_get_a_range_of_ids_where_there_is_one() {
        let ids = |users: &str, groups: &str| ids_of(&[users.to_owned(), groups.to_owned()]);
        let all = "         0          0 4294967295\n";
        let usual = IdMap { host: 1_000_000, size: 65_536 };
        assert_eq!(ids(all, all), usual);
        assert_eq!(ids("0 1000 1\n1 100000 1065535\n", all), usual);
        for few in
            ["0 1000 1\n", "0 1000 1\n1 100000 65536\n", "1000001 1 65536\n", "0 1 1065535\n", ""]
        {
            assert_eq!(ids(few, all), IdMap::OWN, "{few}");
            assert_eq!(ids(all, few), IdMap::OWN, "{few}");
        }
    }
}
