//! Keys of the kernel. Whoever possesses a keyring may read the keys in it, whatever user that is, and every process possesses
//! the session keyring that it inherited: pods would have that of whoever started the node.

use nix::errno::Errno;

use super::failure::{Failure, during};

/// Which session keyring a process has that would not keep the inherited one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// One of its own, which is empty.
    Own,
    /// None that it or its children can use.
    Unusable,
    /// The inherited one: its user has as many keys as the kernel allows.
    Inherited,
}

/// Leaves the session keyring that was inherited for a new one without a name, which nobody else can join.
pub(super) fn leave() -> Result<Session, Failure> {
    match keyutils_raw::keyctl_join_session_keyring(None) {
        Ok(_) => Ok(Session::Own),
        Err(error) => {
            let errno = Errno::from_raw(error.0);
            without(errno).ok_or(errno).map_err(during("make a session keyring"))
        }
    }
}

/// What can be lived with.
fn without(errno: Errno) -> Option<Session> {
    match errno {
        // The kernel has no keyrings; or a filter, as those of Docker and LXC, forbids the call, and is inherited, too.
        Errno::ENOSYS | Errno::EPERM => Some(Session::Unusable),
        Errno::EDQUOT => Some(Session::Inherited),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_start_where_no_keyring_can_be_made_and_other_failures_are_failures() {
        for (errno, expected) in [
            (Errno::ENOSYS, Some(Session::Unusable)),
            (Errno::EPERM, Some(Session::Unusable)),
            (Errno::EDQUOT, Some(Session::Inherited)),
            (Errno::ENOMEM, None),
            (Errno::EACCES, None),
        ] {
            assert_eq!(without(errno), expected, "{errno}");
        }
    }
}
