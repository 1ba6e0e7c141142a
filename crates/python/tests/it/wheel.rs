use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A wheel `name-version-…` that needs this, with these files more.
pub(crate) fn wheel(name: &str, requires: &[&str], files: &[(&str, &str)]) -> Vec<u8> {
    let mut parts = name.split('-');
    let (project, version) = (parts.next().expect("a name"), parts.next().expect("a version"));
    let needs: Vec<_> = requires.iter().map(|it| format!("Requires-Dist: {it}\n")).collect();
    let metadata =
        format!("Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{}", needs.concat());
    let metadata_name = format!("{project}-{version}.dist-info/METADATA");
    let module = format!("{project}/__init__.py");
    let own = [(metadata_name.as_str(), metadata.as_str()), (module.as_str(), "")];
    zip(&own.into_iter().chain(files.iter().copied()).collect::<Vec<_>>())
}

pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}
