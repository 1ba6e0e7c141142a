//! Makes the namespaces that the containers of a pod share, and ends: the supervisor keeps them by descriptor.

use std::{
    fs,
    io::{self, Read, Write},
};

use nix::sched::{CloneFlags, unshare};

use super::failure::{Failure, during};

/// Written when the namespaces exist; the supervisor then writes the id maps and closes our standard input.
pub(super) const READY: u8 = b'r';

/// Kernel settings of a pod's network, as container engines set them: no port is privileged, everyone may ping.
const NETWORK_SETTINGS: [(&str, &str); 3] = [
    ("net/ipv4/ip_unprivileged_port_start", "0"),
    // Both ends must be groups that there are.
    ("net/ipv4/ping_group_range", "0 0"),
    ("net/ipv4/ping_group_range", "0 65535"),
];

pub(super) fn run(hostname: &str) -> Result<(), Failure> {
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS,
    )
    .map_err(during("make the pod's namespaces"))?;
    nix::unistd::sethostname(hostname).map_err(during(format!("set the host name {hostname}")))?;
    let mut out = io::stdout();
    out.write_all(&[READY]).and_then(|()| out.flush()).map_err(during("tell the supervisor"))?;
    io::stdin().read_to_end(&mut Vec::new()).map_err(during("wait for the id maps"))?;
    for (name, value) in NETWORK_SETTINGS {
        // A kernel without one of them, or a map of one id, only means fewer comforts in the pod.
        let _ = fs::write(format!("/proc/sys/{name}"), value);
    }
    Ok(())
}
