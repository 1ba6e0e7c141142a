//! Files that are made at the first start, and that only the server's user can read.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use flumen_model::Secret;

use crate::Error;

/// Makes the file if it is not there, and says what it holds: where several servers start at once, each of them has what the
/// first of them wrote.
pub(crate) fn make(path: &Path, made: &Secret) -> Result<Secret, Error> {
    write(path, made.expose()).map_err(Error::file("write", path))?;
    let held = fs::read_to_string(path).map_err(Error::file("read", path))?;
    Ok(Secret::new(held.trim().to_owned()))
}

fn write(path: &Path, text: &str) -> Result<(), io::Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    // Nobody else may read or write it.
    let mut part = tempfile::Builder::new().prefix(name).suffix(".part").tempfile_in(directory)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_all()?;
    // Unlike renaming, it leaves alone what is there, and nobody sees a file that is not whole.
    match fs::hard_link(part.path(), path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // What is encrypted next must not outlast the name of the key.
        Ok(()) => File::open(directory)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn whoever_comes_later_has_what_the_first_wrote() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        let after = |text: &str| make(&path, &Secret::new(text.to_owned())).expect("made");
        assert_eq!(after("first").expose(), "first");
        assert_eq!(after("second").expose(), "first");
        assert_eq!(fs::read_to_string(&path).expect("there"), "first");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory).expect("read").count(), 1, "nothing else is left");
    }
}
