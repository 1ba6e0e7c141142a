//! The peer of a push: a file whose checksum is taken and that is uploaded, which is the least that must be done.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

/// By the registry's protocol: the checksum, where the file should go, and the file.
const SCRIPT: &str = r#"set -eu
digest=$(sha256sum "$1" | cut -d' ' -f1)
at=$(curl -fsS -X POST -D - -o /dev/null "$2/v2/$3/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: *//p')
case $at in /*) at=$2$at ;; esac
case $at in *\?*) at="$at&" ;; *) at="$at?" ;; esac
curl -fsS -o /dev/null -H 'Expect:' -H 'Content-Type: application/octet-stream' -T "$1" "${at}digest=sha256:$digest"
"#;

pub(crate) struct Upload<'a> {
    pub(crate) registry: &'a str,
    pub(crate) repository: &'a str,
}

impl Upload<'_> {
    pub(crate) fn command(&self, file: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "upload"]).arg(file);
        command.arg(format!("http://{}", self.registry)).arg(self.repository);
        command.stdin(Stdio::null());
        command
    }
}

/// A file that no compression makes smaller, as a jar is one, and that no registry has.
pub(crate) fn random_file(path: &Path, bytes: u64) -> Result<()> {
    let random = File::open("/dev/urandom").context("there is no /dev/urandom")?;
    let failed = || format!("could not write {}", path.display());
    let mut file = File::create(path).with_context(failed)?;
    io::copy(&mut random.take(bytes), &mut file).with_context(failed)?;
    Ok(())
}
