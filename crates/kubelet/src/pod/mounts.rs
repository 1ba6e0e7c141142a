//! What is mounted below a place, so that all of it can be made read-only.
//!
//! From Linux 5.12 on `mount_setattr` does that in one call, but nothing safe wraps it, and every kernel has the table of
//! mounts. Nobody else mounts anything meanwhile: the namespace is the caller's own, and private.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
};

use nix::mount::MsFlags;
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::failure::{Failure, during};

/// What a mount can forbid, in the words of the table.
const FORBIDS: [(&str, MsFlags); 4] = [
    ("ro", MsFlags::MS_RDONLY),
    ("nosuid", MsFlags::MS_NOSUID),
    ("nodev", MsFlags::MS_NODEV),
    ("noexec", MsFlags::MS_NOEXEC),
];

/// The mounts of the caller.
pub(super) struct Table {
    /// `/proc` as it was before a pod could mount anything there.
    proc: OwnedFd,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mounted {
    id: u64,
    parent: u64,
    pub(super) path: PathBuf,
    /// What it forbids already.
    pub(super) flags: MsFlags,
}

impl Table {
    pub(super) fn open() -> Result<Self, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = openat(CWD, "/proc", flags, Mode::empty()).map_err(during("open /proc"))?;
        Ok(Self { proc })
    }

    /// All mounts below the one at `top` that can be reached.
    pub(super) fn below(&self, top: &Path) -> Result<Vec<Mounted>, Failure> {
        let step = |path: &Path| format!("look at what is mounted at {}", path.display());
        let id = self.id(top, OFlags::empty()).map_err(during(step(top)))?;
        let all = self.read("self/mountinfo").and_then(|text| parse(&text));
        let mut below = Vec::new();
        for mount in descendants(all.map_err(during("read the table of mounts"))?, id) {
            match self.id(&mount.path, OFlags::NOFOLLOW) {
                Ok(id) if id == mount.id => below.push(mount),
                // Another one hides it, and no pod may take that one away.
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                Err(error) => return Err(during(step(&mount.path))(error)),
            }
        }
        Ok(below)
    }

    /// The number of the mount that a path leads to.
    fn id(&self, path: &Path, flags: OFlags) -> io::Result<u64> {
        let place = openat(CWD, path, flags | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let text = self.read(&format!("self/fdinfo/{}", place.as_raw_fd()))?;
        let text = String::from_utf8_lossy(&text);
        let id = text.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok());
        id.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let mut text = Vec::new();
        File::from(openat(&self.proc, name, flags, Mode::empty())?).read_to_end(&mut text)?;
        Ok(text)
    }
}

/// Reads `mountinfo`, see proc(5).
fn parse(text: &[u8]) -> io::Result<Vec<Mounted>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| parse_line(line).ok_or_else(|| io::ErrorKind::InvalidData.into())).collect()
}

fn parse_line(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
    let (id, parent) = (number()?, number()?);
    let path = unescape(fields.nth(2)?);
    let options = std::str::from_utf8(fields.next()?).ok()?;
    let forbidden = FORBIDS.iter().filter(|(word, _)| options.split(',').any(|it| it == *word));
    let flags = forbidden.fold(MsFlags::empty(), |flags, (_, flag)| flags | *flag);
    Some(Mounted { id, parent, path: OsString::from_vec(path).into(), flags })
}

/// Blanks and the like stand there as a backslash and three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => plain.push(*first),
        }
    }
    plain
}

/// Those below `top`, each after the one that it is mounted on.
fn descendants(all: Vec<Mounted>, top: u64) -> Vec<Mounted> {
    let mut children: HashMap<u64, Vec<Mounted>> = HashMap::new();
    for mount in all {
        children.entry(mount.parent).or_default().push(mount);
    }
    let mut found = children.remove(&top).unwrap_or_default();
    let mut next = 0;
    while let Some(id) = found.get(next).map(|mount| mount.id) {
        found.extend(children.remove(&id).unwrap_or_default());
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        40 30 0:31 / /usr/with\\040blank\\134 ro,nosuid,nodev - tmpfs tmpfs rw\n\
        30 21 8:1 /usr /usr ro,nosuid,nodev,noexec,relatime - ext4 /dev/sda1 rw\n\
        41 40 0:32 /x /usr/with\\040blank\\134/deep rw,rootcontext - tmpfs tmpfs ro\n\
        50 21 0:33 / /usrlocal rw - tmpfs tmpfs rw\n";

    #[test]
    fn what_is_mounted_below_is_found_at_every_depth_and_nothing_beside_it() {
        let all = parse(TABLE).unwrap();
        let forbids = all[2].flags;
        assert_eq!(forbids, FORBIDS.iter().fold(MsFlags::empty(), |all, (_, flag)| all | *flag));
        let below = descendants(all, 30);
        let paths: Vec<_> = below.iter().map(|mount| mount.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/usr/with blank\\", "/usr/with blank\\/deep"]);
        // The options of the file system come after those of the mount.
        assert_eq!(below[1].flags, MsFlags::empty());
    }

    #[test]
    fn a_table_that_cannot_be_read_is_an_error() {
        for text in ["x 1 8:1 / / rw - ext4 x rw\n", "21 1 8:1 / /\n"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(unescape(b"\\0x\\777\\"), b"\\0x\\777\\");
    }
}
