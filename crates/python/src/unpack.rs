//! The content of a wheel as it lies in a directory of packages.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use crate::Error;

/// The most files, and bytes of all of them, that a wheel may come to.
const MOST_FILES: usize = 200_000;
const MOST_BYTES: u64 = 8 << 30;

/// Puts the content of the wheel `name` below `directory`, as an installer does that gets one directory for all. Nothing of it is run.
///
/// # Errors
/// `Invalid` for what is no wheel, or would leave the directory; `Unavailable` if the disk refuses.
pub fn unpack(wheel: &Path, name: &str, directory: &Path) -> Result<(), Error> {
    let refuse = Error::archive(name);
    let file = fs::File::open(wheel).map_err(Error::file(wheel))?;
    let mut archive =
        zip::ZipArchive::new(file).map_err(|error| refuse(format!("it is no wheel: {error}")))?;
    if archive.len() > MOST_FILES {
        return Err(refuse(format!("it has more than {MOST_FILES} files")));
    }
    let mut left = MOST_BYTES;
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(|error| refuse(error.to_string()))?;
        let inside = entry.name().map_err(|error| refuse(error.to_string()))?.into_owned();
        if !is_plain(&inside) {
            return Err(refuse(format!("{inside:?} in it leads out of it")));
        }
        if entry.is_symlink() {
            return Err(refuse(format!("{inside:?} in it is a symbolic link")));
        }
        let Some(target) = place_of(&inside).filter(|_| !entry.is_dir()) else { continue };
        let is_program = target.starts_with("bin/") || entry.unix_mode().unwrap_or(0) & 0o111 != 0;
        let target = directory.join(target);
        let parent = target.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(Error::file(parent))?;
        let mut out = fs::File::create(&target).map_err(Error::file(&target))?;
        // The size that is announced is the archive's word.
        let mut limited = entry.take(left + 1);
        let written = io::copy(&mut limited, &mut out).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => {
                refuse(format!("{inside:?} in it cannot be read: {error}"))
            }
            _ => Error::File { path: target.clone(), source: error },
        })?;
        left = left.checked_sub(written).ok_or_else(|| {
            refuse(format!("it has more than {MOST_BYTES} bytes when it is unpacked"))
        })?;
        if is_program {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&target, mode).map_err(Error::file(&target))?;
        }
    }
    Ok(())
}

/// Whether a path of an archive stays below the place that it is unpacked to.
pub(crate) fn is_plain(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.contains(['\\', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Where a file lies in the directory of packages; none if it is of no use there.
fn place_of(inside: &str) -> Option<String> {
    let is_data = |first: &str| Path::new(first).extension().is_some_and(|it| it == "data");
    let Some((_, rest)) = inside.split_once('/').filter(|(first, _)| is_data(first)) else {
        return Some(inside.to_owned());
    };
    let (kind, path) = rest.split_once('/')?;
    match kind {
        "purelib" | "platlib" | "data" => Some(path.to_owned()),
        "scripts" => Some(format!("bin/{path}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_an_installer_puts_them() {
        for (inside, place) in [
            ("geo/__init__.py", Some("geo/__init__.py")),
            ("geo-1.dist-info/METADATA", Some("geo-1.dist-info/METADATA")),
            ("geo-1.data/purelib/geo/x.py", Some("geo/x.py")),
            ("geo-1.data/platlib/geo/x.so", Some("geo/x.so")),
            ("geo-1.data/scripts/geo", Some("bin/geo")),
            ("geo-1.data/data/share/x", Some("share/x")),
            ("geo-1.data/headers/x.h", None),
        ] {
            assert_eq!(place_of(inside).as_deref(), place, "{inside}");
        }
    }

    #[test]
    fn paths_that_leave_are_known() {
        for path in ["a/b.py", "a/", "a/..b"] {
            assert!(is_plain(path), "{path}");
        }
        for path in ["../a", "/etc/passwd", "a/../../b", "a//b", "", "./a", "a\\..\\b", "a\0b"] {
            assert!(!is_plain(path), "{path:?}");
        }
    }
}
