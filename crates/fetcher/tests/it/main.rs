//! The program as an init container runs it, against a server that does all that servers do.

mod server;

use std::{
    path::Path,
    process::{Command, Output},
};

use flumen_fetcher::{File, JAR, is_path, list};
use flumen_model::{Digest, Secret};
use sha2::{Digest as _, Sha256};

use server::{Answer, Server};

const PATH: &str = "opt/flink/usrlib/job.jar";
const CONTENT: &[u8] = b"the bytes of a jar, which are some more than a few";

fn digest(content: &[u8]) -> Digest {
    Digest::from_sha256(&Sha256::digest(content).into())
}

fn file(url: &str) -> File {
    let url = Secret::new(format!("{url}?expires=1&signature=hidden"));
    File { path: PATH.to_owned(), digest: digest(CONTENT), size: CONTENT.len() as u64, url }
}

/// Where one run of the program has its files.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a directory"));
        std::fs::write(place.0.path().join("fetcher.jar"), JAR).expect("written");
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn target(&self) -> std::path::PathBuf {
        self.path().join("files").join(PATH)
    }

    fn write_part(&self, content: &[u8]) {
        let part = self.target().with_file_name("job.jar.part");
        std::fs::create_dir_all(part.parent().expect("a directory")).expect("made");
        std::fs::write(part, content).expect("written");
    }

    async fn run(&self, list: &Secret) -> Output {
        std::fs::write(self.path().join("list"), list.expose()).expect("written");
        let mut java = Command::new("java");
        java.args(["-Dflumen.fetch.pause=1", "-jar", "fetcher.jar", "list", "files"])
            .current_dir(self.path());
        let run = tokio::task::spawn_blocking(move || java.output());
        run.await.expect("no panic").expect("Java runs")
    }

    async fn succeeds(&self, file: File) {
        let output = self.run(&list(&[file])).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        assert!(!error.contains("hidden"), "{error}");
        assert_eq!(std::fs::read(self.target()).expect("a file"), CONTENT);
        let entries = std::fs::read_dir(self.target().parent().expect("a directory"));
        assert_eq!(entries.expect("listed").count(), 1, "only the file is left");
    }

    /// The last sentence, which says why.
    async fn fails(&self, list: &Secret) -> String {
        let output = self.run(list).await;
        let error = String::from_utf8(output.stderr).expect("a text");
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(!error.contains("hidden"), "{error}");
        assert!(!self.target().exists(), "a file that is not right has its name");
        error.lines().last().expect("a sentence").to_owned()
    }
}

#[tokio::test]
async fn a_file_is_fetched_once() {
    let server = Server::start([Answer::All]).await;
    let place = Place::new();
    place.succeeds(file(&server.url)).await;
    place.succeeds(file(&server.url)).await;
    assert_eq!(server.ranges(), [None]);
}

#[tokio::test]
async fn what_broke_off_goes_on_from_there() {
    let server = Server::start([Answer::Truncated(10), Answer::Part]).await;
    Place::new().succeeds(file(&server.url)).await;
    assert_eq!(server.ranges(), [None, Some("bytes=10-".to_owned())]);
}

#[tokio::test]
async fn a_server_without_ranges_sends_it_all_again() {
    let server = Server::start([Answer::All]).await;
    let place = Place::new();
    place.write_part(&CONTENT[..7]);
    place.succeeds(file(&server.url)).await;
    assert_eq!(server.ranges(), [Some("bytes=7-".to_owned())]);
}

#[tokio::test]
async fn a_part_of_something_else_is_thrown_away() {
    let server = Server::start([Answer::Part, Answer::All]).await;
    let place = Place::new();
    place.write_part(b"of something else");
    place.succeeds(file(&server.url)).await;
    assert_eq!(server.ranges(), [Some("bytes=17-".to_owned()), None]);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_and_a_link_that_ended_too() {
    let server = Server::start([Answer::Status(500), Answer::Status(403), Answer::All]).await;
    Place::new().succeeds(file(&server.url)).await;
    assert_eq!(server.ranges().len(), 3);
}

#[tokio::test]
async fn trouble_without_an_end_is_given_up() {
    let server = Server::start([]).await;
    let told = Place::new().fails(&list(&[file(&server.url)])).await;
    assert_eq!(told, format!("could not fetch {PATH} from {}: it answers 503", server.url));
    assert_eq!(server.ranges().len(), 8);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_asked_for_once() {
    let server = Server::start([Answer::Status(404)]).await;
    let told = Place::new().fails(&list(&[file(&server.url)])).await;
    assert_eq!(told, format!("could not fetch {PATH} from {}: it answers 404", server.url));
    assert_eq!(server.ranges().len(), 1);
}

#[tokio::test]
async fn another_content_is_never_taken() {
    let server = Server::start([Answer::All; 8]).await;
    let wanted = digest(b"something else of that length");
    let wrong = File { digest: wanted.clone(), ..file(&server.url) };
    let told = Place::new().fails(&list(&[wrong])).await;
    let is = format!("its SHA-256 is {} and must be {}", digest(CONTENT).hex(), wanted.hex());
    assert!(told.ends_with(&is), "{told}");
    let server = Server::start([Answer::All]).await;
    let short = File { size: 10, ..file(&server.url) };
    let told = Place::new().fails(&list(&[short])).await;
    assert!(told.ends_with("it sends more than 10 bytes"), "{told}");
}

#[tokio::test]
async fn nothing_is_written_outside_the_directory() {
    let server = Server::start([Answer::All]).await;
    for path in ["../job.jar", "/job.jar", "a/../../job.jar", "a//job.jar", ""] {
        let place = Place::new();
        let told = place.fails(&list(&[File { path: path.to_owned(), ..file(&server.url) }])).await;
        assert!(told.starts_with("the list of files has a line that is none"), "{path}: {told}");
    }
    assert_eq!(server.ranges(), [None::<String>; 0]);
}

#[test]
fn a_path_is_one_that_can_be_mounted() {
    assert!(is_path(PATH) && is_path("opt/a b.jar"));
    for bad in ["", "/opt/a", "opt/../a", "opt//a", "a\tb", "a\nb", "C:/a"] {
        assert!(!is_path(bad), "{bad:?}");
    }
}
