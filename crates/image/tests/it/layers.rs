use std::{collections::BTreeMap, fs, io::Read as _, os::unix::fs::PermissionsExt as _};

use flumen_image::{Attributes, Compression, Content, Error, LayerBuilder};
use flumen_model::Kind;

use crate::support::{Workshop, digest_of};

#[tokio::test]
async fn the_same_content_gives_the_same_bytes_whatever_the_machine_says_of_the_files() {
    let workshop = Workshop::new();
    let mut digests = Vec::new();
    for (name, mode, order) in [("one", 0o600, [0, 1, 2]), ("two", 0o777, [2, 0, 1])] {
        let source = workshop.path(name);
        fs::write(&source, "jar").unwrap();
        fs::set_permissions(&source, fs::Permissions::from_mode(mode)).unwrap();
        let file = fs::File::options().append(true).open(&source).unwrap();
        file.set_modified(
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(mode.into()),
        )
        .unwrap();
        let entries = [
            (
                "/opt/flink/usrlib/job.jar",
                Content::File(source),
                Attributes { mode: 0o644, user: 9999, group: 9999 },
            ),
            ("/opt/flink/usrlib", Content::Directory, Attributes::mode(0o755)),
            ("/opt/link", Content::Symlink("flink/usrlib".into()), Attributes::mode(0o777)),
        ];
        let mut builder = LayerBuilder::new();
        for index in order {
            let (path, content, attributes) = entries[index].clone();
            builder.add(path, content, attributes).unwrap();
        }
        let layer = builder
            .write(Compression::Zstd, workshop.path(&format!("{name}.layer")))
            .await
            .unwrap();
        digests.push((layer.digest, layer.diff_id, layer.size));
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn a_layer_knows_its_digests_and_size_and_unpacks_to_what_was_put_in() {
    let workshop = Workshop::new();
    let long = format!("/opt/{}/{}/deep.txt", "d".repeat(90), "e".repeat(120));
    for compression in [Compression::Zstd, Compression::Gzip] {
        let mut builder = LayerBuilder::new();
        builder.add("etc/", Content::Directory, Attributes::mode(0o1777)).unwrap();
        let attributes = Attributes { mode: 0o755, user: 9, group: 10 };
        builder.add(&long, Content::Bytes(vec![7; 100_000]), attributes).unwrap();
        builder.add("/link", Content::Symlink("/etc".into()), Attributes::mode(0o777)).unwrap();
        let layer = builder.write(compression, workshop.path("layer")).await.unwrap();
        let bytes = fs::read(&layer.path).unwrap();
        assert_eq!((layer.digest.to_string(), layer.size), (digest_of(&bytes), bytes.len() as u64));
        let mut archive = Vec::new();
        match compression {
            Compression::Zstd => zstd::stream::copy_decode(bytes.as_slice(), &mut archive).unwrap(),
            Compression::Gzip => {
                flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut archive).unwrap();
            }
        }
        assert_eq!(layer.diff_id.to_string(), digest_of(&archive));
        let mut found = BTreeMap::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            let facts = (
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mtime().unwrap(),
            );
            found.insert(entry.path().unwrap().display().to_string(), (facts, entry.size()));
        }
        let expected = BTreeMap::from([
            ("etc/".to_owned(), ((0o1777, 0, 0, 0), 0)),
            ("link".to_owned(), ((0o777, 0, 0, 0), 0)),
            (long.trim_start_matches('/').to_owned(), ((0o755, 9, 10, 0), 100_000)),
        ]);
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_tree_is_taken_with_its_links_and_its_programs() {
    let workshop = Workshop::new();
    let home = workshop.path("home");
    fs::create_dir_all(home.join("bin")).unwrap();
    fs::write(home.join("bin/run"), "#!/bin/sh").unwrap();
    fs::set_permissions(home.join("bin/run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(home.join("readme"), "text").unwrap();
    std::os::unix::fs::symlink("readme", home.join("link")).unwrap();
    let mut builder = LayerBuilder::new();
    builder.add_tree("/opt/x/", &home).unwrap();
    let layer = builder.write(Compression::Gzip, workshop.path("layer")).await.unwrap();
    let unpacked = flate2::read::GzDecoder::new(fs::File::open(&layer.path).unwrap());
    let mut found = Vec::new();
    for entry in tar::Archive::new(unpacked).entries().unwrap() {
        let entry = entry.unwrap();
        found.push(format!(
            "{:o} {}",
            entry.header().mode().unwrap(),
            entry.path().unwrap().display()
        ));
    }
    assert_eq!(
        found,
        ["755 opt/x/bin/", "755 opt/x/bin/run", "777 opt/x/link", "644 opt/x/readme"]
    );
}

#[tokio::test]
async fn places_outside_of_the_image_and_taken_ones_are_refused() {
    let mut builder = LayerBuilder::new();
    let mut add =
        |path: &str| builder.add(path, Content::Directory, Attributes::mode(0o755)).map(drop);
    add("/opt").unwrap();
    for bad in ["", "/", "../etc", "/opt/../../etc", "a//b", "./a", "opt/", "/etc/.wh.passwd"] {
        let error = add(bad).expect_err(bad);
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
    }
}

#[tokio::test]
async fn a_missing_file_is_named_and_leaves_no_half_layer() {
    let workshop = Workshop::new();
    let mut builder = LayerBuilder::new();
    builder.add("/a", Content::Bytes(vec![0; 1_000_000]), Attributes::mode(0o644)).unwrap();
    builder.add("/b", Content::File(workshop.path("gone.jar")), Attributes::mode(0o644)).unwrap();
    let error = builder
        .write(Compression::Zstd, workshop.path("layer"))
        .await
        .expect_err("it is not there");
    assert!(matches!(error, Error::ReadFile { .. }) && error.kind() == Kind::NotFound, "{error}");
    assert!(error.to_string().contains("gone.jar"), "{error}");
    assert_eq!(fs::read_dir(workshop.directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn links_that_leave_the_tree_are_refused_and_others_are_kept() {
    for (place, target, is_fine) in [
        ("link", "file", true),
        ("link", "./deep/../file", false),
        ("deep/link", "../file", true),
        ("deep/link", "../deep/nothing", true),
        ("deep/link", "../../outside", false),
        ("link", "..", false),
        ("link", "/etc/passwd", false),
        ("link", "deep/down/../../../etc", false),
    ] {
        let workshop = Workshop::new();
        let tree = workshop.path("tree");
        fs::create_dir_all(tree.join("deep")).unwrap();
        fs::write(tree.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(target, tree.join(place)).unwrap();
        match LayerBuilder::new().add_tree("/opt", &tree) {
            Ok(_) => assert!(is_fine, "{place} -> {target}"),
            Err(error) => {
                assert!(!is_fine, "{place} -> {target}: {error}");
                assert!(matches!(error, Error::LinkLeaves { .. }), "{error}");
                assert!(error.to_string().contains(target), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_goes_to_its_place_or_into_a_directory_there() {
    let workshop = Workshop::new();
    fs::write(workshop.path("job.jar"), "x").unwrap();
    std::os::unix::fs::symlink("job.jar", workshop.path("link.jar")).unwrap();
    for (destination, source, expected) in [
        ("/opt/a.jar", "job.jar", "opt/a.jar"),
        ("/opt/", "job.jar", "opt/job.jar"),
        ("/", "job.jar", "job.jar"),
        ("/opt/", "link.jar", "opt/link.jar"),
    ] {
        let mut builder = LayerBuilder::new();
        builder.add_path(destination, &workshop.path(source)).unwrap();
        let layer = builder.write(Compression::Zstd, workshop.path("layer")).await.unwrap();
        let mut archive = Vec::new();
        zstd::stream::copy_decode(fs::File::open(layer.path).unwrap(), &mut archive).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some(expected));
        assert!(entry.header().entry_type().is_file());
    }
    let mut builder = LayerBuilder::new();
    let error = builder.add_path("/x", std::path::Path::new("/dev/null")).expect_err("a device");
    assert!(error.to_string().contains("/dev/null"), "{error}");
}
