use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
};

use tar::{Builder, EntryType, Header};

use super::*;

const MAP: IdMap = IdMap { host: 1_000_000, size: 65_536 };

fn header(kind: EntryType, path: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    // `set_path` refuses what a hostile archive has, so the bytes are written by hand.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o4755);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_000);
    header
}

#[derive(Default)]
struct Tape(Vec<u8>);

impl Tape {
    fn entry(mut self, kind: EntryType, path: &str, content: &str) -> Self {
        let mut builder = Builder::new(&mut self.0);
        let mut header = header(kind, path, content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
        builder.into_inner().unwrap();
        // Only the last one keeps its end mark.
        let end = self.0.len() - 1024;
        self.0.truncate(end);
        self
    }

    fn link(mut self, kind: EntryType, path: &str, target: &str) -> Self {
        let mut builder = Builder::new(&mut self.0);
        let mut header = header(kind, path, 0);
        header.set_link_name_literal(target).unwrap();
        header.set_cksum();
        builder.append(&header, &[][..]).unwrap();
        builder.into_inner().unwrap();
        let end = self.0.len() - 1024;
        self.0.truncate(end);
        self
    }

    fn extract(self) -> (tempfile::TempDir, Result<(), Unpacking>) {
        self.extract_for(MAP)
    }

    fn extract_for(mut self, map: IdMap) -> (tempfile::TempDir, Result<(), Unpacking>) {
        self.0.extend([0; 1024]);
        let directory = tempfile::tempdir().unwrap();
        let layer = directory.path().join("layer");
        fs::create_dir(&layer).unwrap();
        let result = extract(&mut self.0.as_slice(), &layer, map);
        (directory, result)
    }
}

#[test]
fn owners_are_shifted_and_modes_kept() {
    let (directory, result) = Tape::default()
        .entry(EntryType::Regular, "./opt/deep/file", "content")
        .link(EntryType::Link, "opt/same", "opt/deep/file")
        .link(EntryType::Symlink, "opt/link", "/opt/deep/file")
        .entry(EntryType::Directory, "opt/", "")
        .extract();
    result.unwrap();
    let layer = directory.path().join("layer");
    let file = fs::metadata(layer.join("opt/same")).unwrap();
    assert_eq!(
        (file.uid(), file.gid(), file.mode() & 0o7777, file.mtime()),
        (1_000_007, 1_000_008, 0o4755, 1_000)
    );
    assert_eq!(file.nlink(), 2);
    assert_eq!(fs::symlink_metadata(layer.join("opt/link")).unwrap().uid(), 1_000_007);
    assert_eq!(
        fs::metadata(layer.join("opt/deep")).unwrap().uid(),
        1_000_000,
        "made for its content"
    );
    assert_eq!(fs::metadata(layer.join("opt")).unwrap().uid(), 1_000_007, "described");
}

#[test]
fn removals_are_what_overlayfs_understands() {
    for (map, opaque) in [(MAP, "trusted.overlay.opaque"), (IdMap::OWN, "user.overlay.opaque")] {
        let (directory, result) = Tape::default()
            .entry(EntryType::Regular, "etc/.wh.passwd", "")
            .entry(EntryType::Regular, "var/.wh..wh..opq", "")
            .extract_for(map);
        result.unwrap();
        let layer = directory.path().join("layer");
        let removed = fs::symlink_metadata(layer.join("etc/passwd")).unwrap();
        assert!(removed.file_type().is_char_device() && removed.rdev() == 0);
        let mut value = [0; 4];
        let length = rustix::fs::getxattr(layer.join("var"), opaque, &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"y");
    }
}

#[test]
fn nothing_is_written_outside_the_layer() {
    let (directory, result) = Tape::default()
        .link(EntryType::Symlink, "out", "../..")
        .entry(EntryType::Regular, "out/escaped", "1")
        .entry(EntryType::Regular, "../../above", "2")
        .entry(EntryType::Regular, "/absolute", "3")
        .extract();
    result.unwrap();
    let layer = directory.path().join("layer");
    for (name, content) in [("escaped", "1"), ("above", "2"), ("absolute", "3")] {
        assert_eq!(fs::read_to_string(layer.join(name)).unwrap(), content);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_hard_link_to_the_outside_is_an_error() {
    let (_directory, result) =
        Tape::default().link(EntryType::Link, "stolen", "../../../../etc/passwd").extract();
    assert!(matches!(result, Err(Unpacking::Entry { path, .. }) if path == Path::new("stolen")));
}
