//! What lies in the archives that Flink unpacks for Python: zip and tar, the latter also compressed.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use crate::{Error, unpack::is_plain};

/// The most entries that are looked at.
const MOST_ENTRIES: usize = 1_000_000;

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The paths of its files.
    pub files: BTreeSet<String>,
}

impl Contents {
    /// Whether Python can run this module of it: a file, or a package with a `__main__`.
    pub fn has_module(&self, module: &str) -> bool {
        let path = module.replace('.', "/");
        let ends = [".py", "/__main__.py"];
        ends.iter().any(|end| self.files.contains(&format!("{path}{end}")))
    }
}

/// Whether Flink unpacks a file of this name as an archive.
pub fn is_archive(name: &str) -> bool {
    is_zip(name) || is_tar(name)
}

fn is_zip(name: &str) -> bool {
    has_end(name, &[".zip", ".jar"])
}

fn is_tar(name: &str) -> bool {
    has_end(name, &[".tar", ".tar.gz", ".tgz"])
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    ends.iter().any(|end| name.ends_with(end))
}

/// Reads the table of contents of the archive `name`; nothing is unpacked.
///
/// # Errors
/// `Invalid` for what is no archive of this kind, or has entries that would leave the directory it is unpacked to;
/// `Unavailable` if it cannot be read.
pub fn read(path: &Path, name: &str) -> Result<Contents, Error> {
    let refuse = Error::archive(name);
    let file = File::open(path).map_err(Error::file(path))?;
    let mut contents = Contents::default();
    if is_tar(name) {
        let file = BufReader::new(file);
        if has_end(name, &[".tar"]) {
            read_tar(tar::Archive::new(file), name, &mut contents)?;
        } else {
            let file = flate2::bufread::MultiGzDecoder::new(file);
            read_tar(tar::Archive::new(file), name, &mut contents)?;
        }
        return Ok(contents);
    }
    let mut archive = zip::ZipArchive::new(file).map_err(|error| {
        refuse(format!("it is no zip archive: {error}; was it made or uploaded completely?"))
    })?;
    check_count(archive.len(), name)?;
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place).map_err(|error| refuse(error.to_string()))?;
        let inside = entry.name().map_err(|error| refuse(error.to_string()))?.into_owned();
        if !is_plain(&inside) {
            return Err(refuse(format!("{inside:?} in it leads out of it")));
        }
        if entry.is_file() {
            contents.files.insert(inside);
        }
    }
    Ok(contents)
}

fn read_tar<R: std::io::Read>(
    mut archive: tar::Archive<R>,
    name: &str,
    contents: &mut Contents,
) -> Result<(), Error> {
    let refuse = Error::archive(name);
    let unreadable = |error: std::io::Error| {
        refuse(format!("it cannot be read: {error}; was it made or uploaded completely?"))
    };
    let mut links = BTreeSet::new();
    for (count, entry) in archive.entries().map_err(unreadable)?.enumerate() {
        check_count(count, name)?;
        let entry = entry.map_err(unreadable)?;
        let inside = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // As `tar -C directory .` names them.
        let plain = inside.strip_prefix("./").unwrap_or(&inside);
        if plain.is_empty() || plain == "." {
            continue;
        }
        if !is_plain(plain) {
            return Err(refuse(format!("{inside:?} in it leads out of it")));
        }
        if links.iter().any(|link: &String| plain.starts_with(link.as_str())) {
            return Err(refuse(format!("{inside:?} in it lies behind a link")));
        }
        let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
        if entry.header().entry_type().is_hard_link()
            && link
                .as_deref()
                .is_some_and(|link| !is_plain(link.strip_prefix("./").unwrap_or(link)))
        {
            return Err(refuse(format!("{inside:?} in it is a link that leads out of it")));
        }
        if entry.header().entry_type().is_symlink() {
            links.insert(format!("{plain}/"));
        }
        if !entry.header().entry_type().is_dir() {
            contents.files.insert(plain.to_owned());
        }
    }
    Ok(())
}

fn check_count(count: usize, name: &str) -> Result<(), Error> {
    if count > MOST_ENTRIES {
        return Err(Error::archive(name)(format!("it has more than {MOST_ENTRIES} entries")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tar(entries: &[(&str, Option<&str>)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, link) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_size(0);
            header.set_entry_type(tar::EntryType::Regular);
            // As it stands: the library itself refuses what these tests are about.
            let name = &mut header.as_old_mut().name;
            name[..path.len()].copy_from_slice(path.as_bytes());
            if let Some(link) = link {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(link).expect("a link");
            }
            header.set_cksum();
            archive.append(&header, std::io::empty()).expect("an entry");
        }
        archive.into_inner().expect("an archive")
    }

    fn read_bytes(bytes: &[u8], name: &str) -> Result<Contents, Error> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        read(file.path(), name)
    }

    #[test]
    fn tables_of_contents_are_read() {
        let bytes = tar(&[
            ("./jobs/", None),
            ("./jobs/count.py", None),
            ("venv/bin/python", Some("/usr/bin/python3")),
        ]);
        let contents = read_bytes(&bytes, "a.tar").expect("an archive");
        assert!(contents.has_module("jobs.count") && !contents.has_module("jobs"));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes).expect("written");
        let gzip = gzip.finish().expect("compressed");
        assert_eq!(read_bytes(&gzip, "a.tgz").expect("an archive"), contents);
        assert!(read_bytes(&gzip[..gzip.len() / 2], "a.tar.gz").is_err(), "it is cut off");
    }

    #[test]
    fn what_would_leave_is_refused() {
        for entries in [
            vec![("../etc/passwd", None)],
            vec![("/etc/passwd", None)],
            vec![("a/../../b", None)],
            vec![("a", Some("/etc")), ("a/passwd", None)],
        ] {
            let told = read_bytes(&tar(&entries), "a.tar").expect_err("refused").to_string();
            assert!(told.contains("leads out") || told.contains("behind a link"), "{told}");
        }
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("../x.py", zip::write::SimpleFileOptions::default()).expect("an entry");
        let zip = zip.finish().expect("an archive").into_inner();
        let told = read_bytes(&zip, "a.zip").expect_err("refused").to_string();
        assert!(told.contains("leads out"), "{told}");
        assert!(read_bytes(b"PK no", "a.zip").expect_err("refused").to_string().contains("no zip"));
    }
}
