use std::error::Error as _;

use flumen_model::Kind;
use flumen_python::{Error, unpack};

use crate::{
    index::{Index, Quirks, client, digest, resolve},
    wheel::{wheel, zip},
};

const GEO: &str = "geo-1.2-py3-none-any.whl";
const SHAPES: &str = "shapes-0.9-cp311-cp311-manylinux_2_17_x86_64.whl";

/// geo 1.2, which needs shapes and what the image has.
fn two() -> Vec<(&'static str, Vec<u8>)> {
    let geo = wheel(GEO, &["shapes>=0.5", "numpy>=1.20", "tomli; python_version < '3.11'"], &[]);
    vec![
        (GEO, geo),
        (SHAPES, wheel(SHAPES, &[], &[("shapes-0.9.data/scripts/shapes", "#!python")])),
        ("shapes-0.9-cp312-cp312-manylinux_2_17_x86_64.whl", Vec::new()),
        ("shapes-1.0.tar.gz", Vec::new()),
    ]
}

#[tokio::test]
async fn wheels_are_resolved_and_fetched_from_new_and_old_indexes() {
    for is_old in [false, true] {
        let index = Index::start(two(), Quirks { is_old, ..Quirks::default() }).await;
        let client = index.client();
        let resolution = resolve(&client, "geo~=1.0\n").await.expect("resolved");
        let names: Vec<_> = resolution.wheels.iter().map(|wheel| wheel.name().to_owned()).collect();
        assert_eq!(names, [GEO, SHAPES]);
        let before = index.requests();
        assert_eq!(before, 4, "two listings, and what either wheel needs");
        for (wheel, (_, bytes)) in resolution.wheels.iter().zip(two()) {
            let (path, actual) = client.fetch(wheel).await.expect("fetched");
            assert_eq!((&actual, std::fs::read(&path).expect("read")), (&digest(&bytes), bytes));
        }
        let more = if is_old { 0 } else { 2 };
        assert_eq!(index.requests(), before + more, "a wheel that came for its metadata is here");
        assert_eq!((index.left(), client.progress().files()), (0, 2));
    }
}

#[tokio::test]
async fn the_content_of_wheels_lies_in_one_directory() {
    let index = Index::start(two(), Quirks::default()).await;
    let client = index.client();
    let directory = tempfile::tempdir().expect("a directory");
    for one in &resolve(&client, "geo").await.expect("resolved").wheels {
        let (path, _) = client.fetch(one).await.expect("fetched");
        unpack(&path, one.name(), directory.path()).expect("unpacked");
    }
    for file in
        ["geo/__init__.py", "shapes/__init__.py", "bin/shapes", "geo-1.2.dist-info/METADATA"]
    {
        assert!(directory.path().join(file).is_file(), "{file}");
    }
}

#[tokio::test]
async fn what_the_index_says_of_a_wheel_must_be_so() {
    let other = digest(b"other");
    let sha256 = Some(other.hex().to_owned());
    let index = Index::start(two(), Quirks { sha256, ..Quirks::default() }).await;
    let client = index.client();
    let resolution = resolve(&client, "geo").await.expect("resolved");
    let error = client.fetch(&resolution.wheels[0]).await.expect_err("refused");
    assert!(
        matches!(&error, Error::OtherContent { expected, .. } if *expected == other),
        "{error}"
    );
    assert_eq!((error.kind(), index.left()), (Kind::Unavailable, 0));
}

#[tokio::test]
async fn a_hash_of_the_requirements_must_be_that_of_the_wheel() {
    let index = Index::start(two(), Quirks::default()).await;
    let [(_, geo), (_, shapes), ..] = &two()[..] else { panic!("four files") };
    let whole = format!("geo==1.2 --hash={}\nshapes==0.9 --hash={}\n", digest(geo), digest(shapes));
    assert_eq!(index.resolve(&whole).await.expect("resolved").wheels.len(), 2);
    let wrong = format!("geo==1.2 --hash={}\n", digest(b"other"));
    let told = index.resolve(&wrong).await.expect_err("refused").to_string();
    assert!(told.contains("no wheel of geo 1.2") && told.contains(digest(geo).hex()), "{told}");
}

#[tokio::test]
async fn what_cannot_be_had_is_named() {
    let index = Index::start(two(), Quirks::default()).await;
    let told = |text: &'static str| {
        let index = &index;
        async move {
            let error = index.resolve(text).await.expect_err("refused");
            (error.kind(), error.to_string())
        }
    };
    let (kind, text) = told("nothing").await;
    assert_eq!(kind, Kind::NotFound);
    assert!(
        text.contains("/simple/ has no nothing, which line 1 of requirements.txt names"),
        "{text}"
    );
    let (_, text) = told("shapes>=1").await;
    assert!(text.contains("shapes>=1") && text.contains("1.0 comes only as source"), "{text}");
    let (_, text) = told("geo\nshapes<0.5\n").await;
    assert!(text.contains("shapes") && text.contains("line 2 of requirements.txt"), "{text}");
    assert_eq!(index.left(), 0);
}

#[tokio::test]
async fn an_index_that_recovers_is_asked_again_and_one_that_says_no_is_not() {
    let quirks =
        |failures, status| Quirks { failures: Some((failures, status)), ..Quirks::default() };
    let index = Index::start(two(), quirks(1, 503)).await;
    assert_eq!(index.resolve("shapes").await.expect("resolved").wheels.len(), 1);
    let index = Index::start(two(), quirks(usize::MAX, 403)).await;
    let error = index.resolve("shapes").await.expect_err("refused");
    assert_eq!((error.kind(), index.requests()), (Kind::Denied, 1), "{error}");
}

#[tokio::test]
async fn an_index_that_is_away_or_no_index_is_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/simple", gone.local_addr().expect("an address"));
    drop(gone);
    let error = resolve(&client(&address, directory.path()), "geo").await.expect_err("refused");
    assert!(matches!(error, Error::Fetch { .. }) && error.source().is_some(), "{error}");
    assert!(
        error.to_string().contains("could not fetch the files of geo from http://127.0.0.1"),
        "{error}"
    );
    let listing = Some("<html>sign in</html>");
    let index = Index::start(two(), Quirks { listing, ..Quirks::default() }).await;
    let error = index.resolve("geo").await.expect_err("refused");
    assert!(matches!(error, Error::ReadAnswer { .. }), "{error}");
}

#[test]
fn a_wheel_that_would_leave_its_directory_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, target) = (directory.path().join(GEO), directory.path().join("packages"));
    for bytes in [
        wheel(GEO, &[], &[("../out.py", "x")]),
        wheel(GEO, &[], &[("/etc/out.py", "x")]),
        zip(&[("geo-1.2.data/purelib/../../out.py", "x")]),
        b"no wheel".to_vec(),
    ] {
        std::fs::write(&file, bytes).expect("written");
        let error = unpack(&file, GEO, &target).expect_err("refused");
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        assert!(!directory.path().join("out.py").exists());
    }
}
