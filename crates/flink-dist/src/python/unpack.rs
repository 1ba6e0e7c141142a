//! Takes the parts of a Flink home out of Python packages. What a package says about paths is not trusted: only plain
//! files below the known parts are taken.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

use flate2::read::GzDecoder;

use crate::Error;

/// The directories of a Flink home that are taken.
const PARTS: [&str; 5] = ["bin", "conf", "lib", "opt", "plugins"];

/// Unpacks every package in `packages` into the Flink home `home`.
pub(super) fn unpack_all(packages: &Path, home: &Path) -> Result<(), Error> {
    let read_error = |source| Error::Read { path: packages.to_owned(), source };
    let mut files: Vec<PathBuf> = fs::read_dir(packages)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(read_error)?;
    files.sort();
    for file in files {
        let is_zip =
            file.extension().is_some_and(|extension| extension == "whl" || extension == "zip");
        if is_zip { unpack_zip(&file, home)? } else { unpack_tar(&file, home)? }
    }
    Ok(())
}

fn unpack_tar(package: &Path, home: &Path) -> Result<(), Error> {
    let unpack_error = |source| Error::Unpack { path: package.to_owned(), source };
    let file = File::open(package).map_err(unpack_error)?;
    let mut archive =
        tar::Archive::new(GzDecoder::new(io::BufReader::with_capacity(256 * 1024, file)));
    for entry in archive.entries().map_err(unpack_error)? {
        let mut entry = entry.map_err(unpack_error)?;
        let place = entry.path().ok().and_then(|path| place_in_home(&path));
        if let Some(place) = place.filter(|_| entry.header().entry_type().is_file()) {
            store(&mut entry, home, &place, package)?;
        }
    }
    Ok(())
}

fn unpack_zip(package: &Path, home: &Path) -> Result<(), Error> {
    let unpack_error = |source| Error::Unpack { path: package.to_owned(), source };
    let file = File::open(package).map_err(unpack_error)?;
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file))
        .map_err(|error| unpack_error(error.into()))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| unpack_error(error.into()))?;
        let place = entry.name().ok().and_then(|name| place_in_home(Path::new(name.as_ref())));
        if let Some(place) = place.filter(|_| entry.is_file()) {
            store(&mut entry, home, &place, package)?;
        }
    }
    Ok(())
}

/// `lib/x.jar` for `apache-flink-libraries-1.20.5/deps/lib/x.jar` and for `pyflink/lib/x.jar`, wherever the latter begins.
fn place_in_home(path: &Path) -> Option<PathBuf> {
    let parts: Vec<&str> = path
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let (["pyflink" | "deps", inside @ ..] | [_, "pyflink" | "deps", inside @ ..]) =
        parts.as_slice()
    else {
        return None;
    };
    let is_wanted = inside.len() > 1 && PARTS.contains(&inside[0]);
    is_wanted.then(|| inside.iter().collect())
}

fn store(content: &mut impl Read, home: &Path, place: &Path, package: &Path) -> Result<(), Error> {
    let path = home.join(place);
    let write_error = |source| Error::Write { path: path.clone(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(write_error)?;
    }
    let mut file = File::create(&path).map_err(write_error)?;
    let mut source = Source { content, failure: None };
    let copied = io::copy(&mut source, &mut file);
    if let Some(source) = source.failure {
        return Err(Error::Unpack { path: package.to_owned(), source });
    }
    copied.map_err(write_error)?;
    if place.starts_with("bin") || path.extension().is_some_and(|extension| extension == "sh") {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(write_error)?;
    }
    // The directory's rename must not reach the disk before its files.
    file.sync_all().map_err(write_error)
}

/// Keeps what is wrong with the package apart from what is wrong with the disk.
struct Source<'a, R> {
    content: &'a mut R,
    failure: Option<io::Error>,
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            io::Error::from(kind)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_parts_of_a_flink_home_are_taken() {
        for (path, place) in [
            ("apache-flink-libraries-1.20.5/deps/lib/a.jar", Some("lib/a.jar")),
            ("apache-flink-1.12.5/pyflink/bin/flink", Some("bin/flink")),
            ("pyflink/plugins/x/y.jar", Some("plugins/x/y.jar")),
            ("pyflink/lib", None),
            ("pyflink/table/table.py", None),
            ("apache-flink-1.12.5/setup.py", None),
            ("pyflink/lib/../../../etc/passwd", None),
            ("/pyflink/lib/a.jar", None),
            ("a/b/pyflink/lib/a.jar", None),
        ] {
            assert_eq!(place_in_home(Path::new(path)).as_deref(), place.map(Path::new), "{path}");
        }
    }
}
