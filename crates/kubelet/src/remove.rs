//! Removing what a pod has left, whatever it made of it.
//!
//! Directories may lie in each other deeper than any stack or table of open files reaches, so nothing is done in depth: what is in a
//! directory is put beside it, until there are no more directories. What goes away meanwhile need not be removed.

use std::{ffi::CStr, io, os::fd::AsFd, path::Path};

use rustix::{
    fs::{AtFlags, CWD, Dir, Mode, OFlags, openat, renameat, unlinkat},
    io::Errno,
};

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Removes a directory with all that is in it; one that is not there is fine.
pub(crate) fn directory(path: &Path) -> io::Result<()> {
    let Some(top) = unless_gone(openat(CWD, path, DIRECTORY, Mode::empty()))? else {
        return Ok(());
    };
    let mut lifted = Lifted::new();
    let mut again = true;
    while again {
        again = false;
        for entry in Dir::read_from(&top)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_self_or_parent(name) || unlink(&top, name)? {
                continue;
            }
            again = true;
            take_apart(&top, name, &mut lifted)?;
        }
    }
    unless_gone(unlinkat(CWD, path, AtFlags::REMOVEDIR))?;
    Ok(())
}

/// Removes a directory in `top` and puts the directories that it has beside it.
fn take_apart(top: impl AsFd, name: &CStr, lifted: &mut Lifted) -> io::Result<()> {
    let Some(inner) = unless_gone(openat(&top, name, DIRECTORY, Mode::empty()))? else {
        return Ok(());
    };
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        let name = entry.file_name();
        if !is_self_or_parent(name) && !unlink(&inner, name)? {
            lift(&inner, name, &top, lifted)?;
        }
    }
    unless_gone(unlinkat(&top, name, AtFlags::REMOVEDIR))?;
    Ok(())
}

fn lift(inner: impl AsFd, name: &CStr, top: impl AsFd, lifted: &mut Lifted) -> Result<(), Errno> {
    unless_gone(renameat(inner, name, top, lifted.next())).map(drop)
}

/// Nothing if there was nothing.
fn unless_gone<T>(result: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match result {
        Err(Errno::NOENT) => Ok(None),
        other => other.map(Some),
    }
}

/// Names that nothing else has.
struct Lifted {
    prefix: String,
    count: u64,
}

impl Lifted {
    fn new() -> Self {
        Self { prefix: uuid::Uuid::new_v4().simple().to_string(), count: 0 }
    }

    fn next(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.prefix, self.count)
    }
}

fn is_self_or_parent(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// Whether it was anything but a directory, and is gone.
fn unlink(parent: impl AsFd, name: &CStr) -> Result<bool, Errno> {
    match unless_gone(unlinkat(parent, name, AtFlags::empty())) {
        Ok(_) => Ok(true),
        Err(Errno::ISDIR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::mkdirat;

    use super::*;

    /// Deeper than the stack of a thread reaches, at a few hundred bytes for each.
    const DEPTH: usize = 15_000;

    #[test]
    fn what_lies_deeper_than_a_stack_reaches_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("left");
        fs::create_dir(&path).unwrap();
        let mut inner = openat(CWD, &path, DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..DEPTH {
            mkdirat(&inner, "d", Mode::RWXU).unwrap();
            inner = openat(&inner, "d", DIRECTORY, Mode::empty()).unwrap();
        }
        super::directory(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_goes_away_meanwhile_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let top = openat(CWD, directory.path(), DIRECTORY, Mode::empty()).unwrap();
        let mut lifted = Lifted::new();
        take_apart(&top, c"gone", &mut lifted).unwrap();
        lift(&top, c"gone", &top, &mut lifted).unwrap();
        assert!(unlink(&top, c"gone").unwrap());
        // What is there and cannot be removed is one.
        fs::write(directory.path().join("file"), "").unwrap();
        assert!(take_apart(&top, c"file", &mut lifted).is_err());
    }

    #[test]
    fn links_are_not_followed_and_what_is_not_there_is_fine() {
        let directory = tempfile::tempdir().unwrap();
        let (path, kept) = (directory.path().join("left"), directory.path().join("kept"));
        fs::create_dir_all(path.join("a/b/c")).unwrap();
        fs::create_dir_all(path.join("e/b")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "1").unwrap();
        for link in ["a/link", "a/b/link", "link"] {
            std::os::unix::fs::symlink(&kept, path.join(link)).unwrap();
        }
        fs::write(path.join("a/b/file"), "2").unwrap();
        super::directory(&path).unwrap();
        super::directory(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "1");
    }
}
