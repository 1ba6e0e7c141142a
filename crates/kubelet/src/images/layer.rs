//! The entries of a layer's archive as files for overlayfs: owners shifted into the pods' user namespace, removals as
//! character devices 0/0 and opaque directories.
//!
//! Every path is resolved by the kernel as if the layer's directory were the root, so neither `..` nor a symbolic link
//! of the archive leads out of it.

use std::{
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid,
        XattrFlags, chmodat, chownat, fchmod, fchown, fsetxattr, futimens, linkat, mkdirat,
        mknodat, openat, openat2, symlinkat, unlinkat,
    },
    io::Errno,
};
use tar::{Archive, Entry, EntryType, Header};

use super::unpack::Unpacking;
use crate::protocol::IdMap;

const REMOVED: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";
/// How overlayfs has it: where it is mounted by root, and where by an ordinary user.
const OPAQUE_ATTRIBUTES: (&str, &str) = ("trusted.overlay.opaque", "user.overlay.opaque");
/// Other marks of the AUFS file system that old tools left in archives.
const MARKS: &str = ".wh..wh.";

struct Layer {
    root: OwnedFd,
    map: IdMap,
    /// The directory of the last entry: archives are mostly sorted by directory.
    last: Option<(PathBuf, OwnedFd)>,
}

/// Writes all entries of the archive below `directory`.
pub(super) fn extract(
    content: &mut dyn Read,
    directory: &Path,
    map: IdMap,
) -> Result<(), Unpacking> {
    let write_error =
        |errno: Errno| Unpacking::Write { path: directory.to_owned(), source: errno.into() };
    let root = openat(CWD, directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(write_error)?;
    let mut layer = Layer { root, map, last: None };
    layer.own_directory_itself().map_err(write_error)?;
    let mut archive = Archive::new(content);
    for entry in archive.entries().map_err(Unpacking::Archive)? {
        let mut entry = entry.map_err(Unpacking::Archive)?;
        let path = entry.path().map_err(Unpacking::Archive)?.into_owned();
        layer.write(&mut entry, &path).map_err(|source| Unpacking::Entry { path, source })?;
    }
    Ok(())
}

/// The path below the root, without `.`, `..` and a leading `/`.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    normal
}

fn ids(header: &Header, map: IdMap) -> io::Result<(Option<Uid>, Option<Gid>)> {
    let id = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Ok((
        Some(Uid::from_raw(map.to_host(id(header.uid()?)))),
        Some(Gid::from_raw(map.to_host(id(header.gid()?)))),
    ))
}

impl Layer {
    fn own_directory_itself(&self) -> Result<(), Errno> {
        fchmod(&self.root, Mode::from_raw_mode(0o755))?;
        self.own(&self.root)
    }

    fn own(&self, directory: &OwnedFd) -> Result<(), Errno> {
        let root = self.map.to_host(0);
        fchown(directory, Some(Uid::from_raw(root)), Some(Gid::from_raw(root)))
    }

    fn open_directory(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        openat2(
            &self.root,
            path,
            OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    /// Opens a directory, making what is missing.
    fn directory(&self, path: &Path) -> Result<OwnedFd, Errno> {
        match self.open_directory(path) {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::NOENT);
        };
        mkdirat(&self.directory(parent)?, name, Mode::from_raw_mode(0o755))?;
        let made = self.open_directory(path)?;
        self.own(&made)?;
        Ok(made)
    }

    fn write(&mut self, entry: &mut Entry<'_, &mut dyn Read>, path: &Path) -> io::Result<()> {
        let path = normalize(path);
        let Some(name) = path.file_name() else {
            return self.adopt(entry.header(), Path::new("."));
        };
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        if self.last.as_ref().is_none_or(|(last, _)| *last != directory) {
            self.last = Some((directory.clone(), self.directory(&directory)?));
        }
        let Some((_, parent)) = &self.last else { return Ok(()) };
        let text = name.to_string_lossy();
        if text == OPAQUE {
            let name = if self.map.is_one() { OPAQUE_ATTRIBUTES.1 } else { OPAQUE_ATTRIBUTES.0 };
            return Ok(fsetxattr(parent, name, b"y", XattrFlags::empty())?);
        }
        if text.starts_with(MARKS) {
            return Ok(());
        }
        if let Some(removed) = text.strip_prefix(REMOVED) {
            clear(parent, Path::new(removed))?;
            return Ok(mknodat(parent, removed, FileType::CharacterDevice, Mode::empty(), 0)?);
        }
        self.write_entry(entry, parent, Path::new(name), &path)
    }

    fn write_entry(
        &self,
        entry: &mut Entry<'_, &mut dyn Read>,
        parent: &OwnedFd,
        name: &Path,
        path: &Path,
    ) -> io::Result<()> {
        let kind = entry.header().entry_type();
        let (user, group) = ids(entry.header(), self.map)?;
        match kind {
            EntryType::Directory => {
                // A directory may be described after it was made for its content, or twice.
                if self.open_directory(path).is_err() {
                    clear(parent, name)?;
                    mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
                }
                return self.adopt(entry.header(), path);
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                clear(parent, name)?;
                let flags = OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::WRONLY
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let mut file =
                    std::fs::File::from(openat(parent, name, flags, Mode::from_raw_mode(0o600))?);
                io::copy(entry, &mut file)?;
                fchown(&file, user, group)?;
                fchmod(&file, Mode::from_raw_mode(entry.header().mode()? & 0o7777))?;
                let modified =
                    Timespec { tv_sec: entry.header().mtime()?.cast_signed(), tv_nsec: 0 };
                futimens(
                    &file,
                    &Timestamps { last_access: modified, last_modification: modified },
                )?;
            }
            EntryType::Symlink => {
                let Some(target) = entry.link_name()? else { return Err(no_target()) };
                clear(parent, name)?;
                symlinkat(target.as_ref(), parent, name)?;
                chownat(parent, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?;
            }
            EntryType::Link => {
                let Some(target) = entry.link_name()? else { return Err(no_target()) };
                let target = normalize(&target);
                let Some(target_name) = target.file_name() else { return Err(no_target()) };
                let from = self.directory(target.parent().unwrap_or(Path::new("")))?;
                clear(parent, name)?;
                linkat(&from, target_name, parent, name, AtFlags::empty())?;
            }
            EntryType::Fifo => {
                clear(parent, name)?;
                mknodat(parent, name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
                chownat(parent, name, user, group, AtFlags::SYMLINK_NOFOLLOW)?;
                chmodat(
                    parent,
                    name,
                    Mode::from_raw_mode(entry.header().mode()? & 0o777),
                    AtFlags::empty(),
                )?;
            }
            // Devices could not be used in a pod, which has a /dev of its own; the rest is about the archive.
            _ => {}
        }
        Ok(())
    }

    /// Gives a directory the owner and mode of its entry.
    fn adopt(&self, header: &Header, path: &Path) -> io::Result<()> {
        let directory = self.open_directory(path)?;
        let (user, group) = ids(header, self.map)?;
        fchown(&directory, user, group)?;
        Ok(fchmod(&directory, Mode::from_raw_mode(header.mode()? & 0o7777))?)
    }
}

/// Removes what an earlier entry of the same name left; directories only when they are empty.
fn clear(parent: &OwnedFd, name: &Path) -> Result<(), Errno> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => unlinkat(parent, name, AtFlags::REMOVEDIR),
        Err(Errno::NOENT) | Ok(()) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn no_target() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the link has no target")
}

#[cfg(test)]
mod tests;
