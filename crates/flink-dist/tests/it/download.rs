use std::{fs, io::Write as _, path::Path, sync::Mutex};

use flumen_flink_dist::{Distribution, Error, Settings, download};
use flumen_model::Kind;
use tempfile::TempDir;

use crate::support::{link_fake, write};

/// A cache, and a Python that has packages for Flink 1.20.5.
struct Bench {
    directory: TempDir,
    settings: Settings,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let python = directory.path().join("index/python3");
        link_fake("python3", &python);
        let mut settings = Settings::new(directory.path().join("cache"));
        settings.python = python;
        let bench = Self { directory, settings };
        let jars =
            [("deps/lib/flink-dist-1.20.5.jar", "main"), ("deps/opt/x.jar", "x"), ("setup.py", "")];
        bench.put_source(&jars);
        let scripts = [
            ("pyflink/bin/flink", "#!/bin/sh"),
            ("pyflink/conf/config.yaml", "a: b"),
            ("pyflink/table/table.py", ""),
        ];
        bench.put_wheel(&scripts);
        bench
    }

    fn index(&self) -> &Path {
        self.settings.python.parent().unwrap()
    }

    fn put_source(&self, files: &[(&str, &str)]) {
        let file =
            fs::File::create(self.index().join("apache-flink-libraries-1.20.5.tar.gz")).unwrap();
        let mut archive =
            tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            let path = format!("apache-flink-libraries-1.20.5/{path}");
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
    }

    fn put_wheel(&self, files: &[(&str, &str)]) {
        let file =
            fs::File::create(self.index().join("apache-flink-1.20.5-cp39-linux.whl")).unwrap();
        let mut archive = zip::ZipWriter::new(file);
        for (path, content) in files {
            archive.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
    }

    async fn download(&self) -> Result<Distribution, Error> {
        download("1.20.5".parse().unwrap(), &self.settings, &|_| {}).await
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.index().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// What is in the cache, without the lock file.
    fn cached(&self) -> Vec<String> {
        let entries = fs::read_dir(self.settings.cache.join("flink")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| *name != ".1.20.5.lock").collect()
    }
}

#[tokio::test]
async fn jars_and_scripts_come_together_and_are_asked_for_once() {
    let bench = Bench::new();
    let lines = Mutex::new(Vec::new());
    let progress = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let found = download("1.20.5".parse().unwrap(), &bench.settings, &progress).await.unwrap();
    assert_eq!(fs::read_to_string(found.home().join("lib/flink-dist-1.20.5.jar")).unwrap(), "main");
    assert_eq!(fs::read_to_string(found.home().join("conf/config.yaml")).unwrap(), "a: b");
    assert!(!found.home().join("table").exists());
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(found.home().join("bin/flink")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(bench.cached(), ["1.20.5"]);
    let lines = lines.into_inner().unwrap();
    assert!(lines[0].starts_with("downloading apache-flink-libraries 1.20.5"), "{lines:?}");

    let calls = bench.calls();
    assert!(
        calls.iter().any(|call| call.contains("--python-version 3.9")),
        "the wheel that there is: {calls:?}"
    );
    assert_eq!(bench.download().await.unwrap(), found);
    assert_eq!(bench.calls(), calls, "the cache has it");
}

#[tokio::test]
async fn two_at_once_download_once() {
    let bench = Bench::new();
    let (first, second) = tokio::join!(bench.download(), bench.download());
    assert_eq!(first.unwrap(), second.unwrap());
    let jars = bench.calls().iter().filter(|call| call.contains("apache-flink-libraries")).count();
    assert_eq!(jars, 1);
}

#[tokio::test]
async fn what_a_dead_download_left_is_removed_and_never_used() {
    let bench = Bench::new();
    let half = bench.settings.cache.join("flink/.1.20.5.partial-x/home/lib/flink-dist-1.20.5.jar");
    write(&half, "half");
    let found = bench.download().await.unwrap();
    assert_eq!(fs::read_to_string(found.home().join("lib/flink-dist-1.20.5.jar")).unwrap(), "main");
    assert_eq!(bench.cached(), ["1.20.5"]);
}

#[tokio::test]
async fn a_damaged_or_incomplete_package_leaves_nothing_in_the_cache() {
    let bench = Bench::new();
    write(&bench.index().join("apache-flink-libraries-1.20.5.tar.gz"), "not an archive");
    let error = bench.download().await.expect_err("damaged");
    assert!(matches!(error, Error::Unpack { .. }), "{error}");
    assert_eq!(bench.cached(), [""; 0]);
    bench.put_source(&[("deps/lib/flink-dist-1.20.4.jar", "another version")]);
    let error = bench.download().await.expect_err("not the version that was asked for");
    assert!(error.to_string().contains("is of version 1.20.4"), "{error}");
    assert_eq!(bench.cached(), [""; 0]);
}

#[tokio::test]
async fn what_is_missing_on_the_machine_or_in_the_index_is_said() {
    let bench = Bench::new();
    fs::remove_file(bench.index().join("apache-flink-1.20.5-cp39-linux.whl")).unwrap();
    let error = bench.download().await.expect_err("no such package");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("has no apache-flink 1.20.5"), "{error}");

    write(&bench.index().join("says"), "/usr/bin/python3: No module named pip");
    let error = bench.download().await.expect_err("no pip").to_string();
    assert!(error.contains("apt-get install python3-pip"), "{error}");

    let mut settings = bench.settings.clone();
    settings.python = bench.directory.path().join("no-python");
    let error =
        download("1.20.5".parse().unwrap(), &settings, &|_| {}).await.expect_err("no Python");
    assert!(error.to_string().contains("apt-get install python3 python3-pip"), "{error}");
}
