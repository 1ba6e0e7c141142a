//! A directory as one file: a zip archive with the same bytes for the same files.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::Path,
};

use tempfile::NamedTempFile;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// What Python writes itself, and would be other bytes each time.
const LEFT_OUT: [&str; 1] = ["__pycache__"];

/// Packs all files below `directory`, by their paths from there.
pub(super) fn pack(directory: &Path) -> io::Result<NamedTempFile> {
    let packed = NamedTempFile::new()?;
    let mut zip = ZipWriter::new(BufWriter::new(packed.reopen()?));
    for name in files(directory)? {
        let mut file = File::open(directory.join(&name))?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode(&file.metadata()?))
            .large_file(file.metadata()?.len() > u64::from(u32::MAX));
        zip.start_file(name, options)?;
        io::copy(&mut file, &mut zip)?;
    }
    zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(packed)
}

fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 }
}

/// Every file with its path from the directory, in order. Links to files are followed.
fn files(directory: &Path) -> io::Result<Vec<String>> {
    let refuse = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    let (mut found, mut to_visit) = (Vec::new(), vec![String::new()]);
    while let Some(prefix) = to_visit.pop() {
        for entry in fs::read_dir(directory.join(&prefix))? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| {
                refuse(format!("the name {} in it is not UTF-8", name.to_string_lossy()))
            })?;
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            let inside = format!("{prefix}{name}");
            let metadata = fs::metadata(entry.path())?;
            if metadata.is_file() {
                found.push(inside);
            } else if metadata.is_dir() && !entry.file_type()?.is_symlink() {
                to_visit.push(format!("{inside}/"));
            } else {
                return Err(refuse(format!("{inside} in it is neither a file nor a directory")));
            }
        }
    }
    if found.is_empty() {
        return Err(refuse("it is a directory without files".to_owned()));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let packed = |order: [&str; 2]| {
            let directory = tempfile::tempdir().expect("a directory");
            for name in order {
                let path = directory.path().join(name);
                fs::create_dir_all(path.parent().expect("a parent")).expect("made");
                fs::write(path, name).expect("written");
            }
            let cache = directory.path().join("jobs/__pycache__");
            fs::create_dir_all(&cache).expect("made");
            fs::write(cache.join("count.pyc"), order[0]).expect("written");
            fs::read(pack(directory.path()).expect("packed").path()).expect("read")
        };
        let bytes = packed(["jobs/count.py", "main.py"]);
        assert_eq!(bytes, packed(["main.py", "jobs/count.py"]));
        let archive = zip::ZipArchive::new(io::Cursor::new(bytes)).expect("an archive");
        let names: Vec<_> = archive.file_names().map(|name| name.expect("UTF-8")).collect();
        assert_eq!(names, ["jobs/count.py", "main.py"]);
    }

    #[test]
    fn an_empty_directory_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(pack(directory.path()).is_err());
    }
}
