use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

const PAGE: usize = 4096;

/// A disk of a few megabytes at a directory. Only the calling thread, and the threads that it starts from then
/// on, see it; it is gone with them.
#[derive(Debug)]
pub struct SmallDisk {
    ballast: PathBuf,
}

impl SmallDisk {
    /// Mounts it over this directory. None, with a line that says so, for who may not mount.
    pub fn mount(directory: &Path, megabytes: u32) -> Option<Self> {
        own_mounts()?;
        std::fs::create_dir_all(directory).unwrap();
        let size = format!("size={megabytes}m");
        let options = Some(size.as_str());
        mount(Some("tmpfs"), directory, Some("tmpfs"), MsFlags::empty(), options).unwrap();
        Some(Self { ballast: directory.join("ballast") })
    }

    /// Leaves no room on it.
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(&self.ballast).unwrap();
        loop {
            match file.write_all(&[1; PAGE]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the disk cannot be filled: {error}"),
            }
        }
    }

    /// Takes away what [`SmallDisk::fill`] put there.
    pub fn make_room(&self) {
        std::fs::remove_file(&self.ballast).unwrap();
    }
}

/// A file that whoever opens it may only read, until this is dropped; seen as a [`SmallDisk`] is.
#[derive(Debug)]
pub struct ReadOnlyFile(PathBuf);

impl ReadOnlyFile {
    /// Mounts the file over itself. None, with a line that says so, for who may not mount.
    pub fn over(file: &Path) -> Option<Self> {
        own_mounts()?;
        let (none, bind) = (None::<&str>, MsFlags::MS_BIND);
        mount(Some(file), file, none, bind, none).unwrap();
        let read_only = bind | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, file, none, read_only, none).unwrap();
        Some(Self(file.to_owned()))
    }
}

impl Drop for ReadOnlyFile {
    fn drop(&mut self) {
        umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
    }
}

fn own_mounts() -> Option<()> {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNS) {
        let _ = writeln!(std::io::stderr(), "skipped, this user may not mount: {error}");
        return None;
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
    Some(())
}
