//! Keys of the kernel: those of whoever started the node, and a pod that looks for them.

use std::io::Write as _;

use flumen_kubelet::{Exit, IdMap};
use keyutils_raw::{KEY_SPEC_SESSION_KEYRING, KeyringSerial, add_key, keyctl_join_session_keyring};
use kube::api::LogParams;

use crate::{
    cluster::Cluster,
    exec::exec,
    workshop::{POD, Workshop},
};

/// A key in the session keyring of this thread, and so of all that it starts; `None` where there are no keyrings.
fn add_own_key() -> Option<KeyringSerial> {
    if let Err(error) = keyctl_join_session_keyring(None) {
        let _ = writeln!(std::io::stdout(), "skipped: the kernel makes no keyring: {error}");
        return None;
    }
    Some(add_key("user", "flumen-test", b"secret", KEY_SPEC_SESSION_KEYRING).unwrap())
}

/// A command that tries to read the key by its number, looks for it in its session keyring, and says which keyring that is.
fn thief(key: KeyringSerial) -> String {
    format!(
        r#"exec python3 -c '
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
number = dict(x86_64=250, aarch64=219)[platform.machine()]
def keyctl(*arguments):
    arguments = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    done = libc.syscall(ctypes.c_long(number), *arguments)
    return done if done >= 0 else errno.errorcode[ctypes.get_errno()]
text = ctypes.create_string_buffer(16)
print("read", keyctl(11, {key}, text, 16), text.value.decode())
print("search", keyctl(10, -3, b"user", b"flumen-test", 0))
print("session", keyctl(0, -3, 0), flush=True)'"#
    )
}

/// The keyring that the command found to be its own; it must not have found the key.
fn session(told: &str) -> String {
    let session = told.strip_prefix("read EACCES \nsearch ENOKEY\nsession ");
    let session = session.unwrap_or_else(|| panic!("{told}")).trim().to_owned();
    assert!(session.parse::<u32>().is_ok(), "{told}");
    session
}

#[tokio::test]
async fn neither_a_container_nor_a_command_in_it_has_the_keys_of_whoever_started_the_node() {
    let Some(key) = add_own_key() else { return };
    let cluster = Cluster::start().await;
    let script = format!("({}); exec sleep 100000", thief(key));
    let mut sessions = Vec::new();
    for name in ["one", "two"] {
        cluster.run(name, &script, |_| {}).await;
        cluster.wait_log(name, "session").await;
        sessions.push(session(&cluster.log(name, &LogParams::default()).await));
    }
    let ended = exec(&cluster, "one", &thief(key)).await;
    sessions.push(session(&ended.stdout));
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 3, "each has one of its own: {sessions:?}");
}

#[tokio::test]
async fn neither_has_a_container_that_runs_as_the_same_user() {
    let Some(key) = add_own_key() else { return };
    let workshop = Workshop::of_users(IdMap::OWN);
    workshop.make_pod().await;
    let ended = workshop.run(&workshop.shell(POD, &thief(key))).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (Exit::Code(0), ""));
    session(&ended.stdout);
}
