//! The script that fetches a commit, run by a shell with a real git.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use flumen_project::{Build, config_map};

use crate::{OPERATION, spec};

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// Two commits: `main` and the annotated tag `v1` are the second, `other`, the tag `light` are the first; `both` is a
    /// branch of the first and a tag of the second.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let repository = Self { directory };
        fs::create_dir(repository.path().join("sources")).unwrap();
        fs::create_dir(repository.path().join("workspace")).unwrap();
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit("1");
        repository.git(&["tag", "light"]);
        repository.git(&["branch", "other"]);
        repository.git(&["branch", "both"]);
        repository.commit("2");
        repository.git(&["tag", "both"]);
        repository.git(&["tag", "--annotate", "--message", "x", "v1"]);
        repository
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.path().join("sources")).args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
        ]);
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, content: &str) {
        fs::create_dir_all(self.path().join("sources/job")).unwrap();
        fs::write(self.path().join("sources/job/file"), content).unwrap();
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", content]);
    }

    fn first(&self) -> String {
        self.git(&["rev-parse", "main~1"])
    }

    fn second(&self) -> String {
        self.git(&["rev-parse", "main"])
    }

    /// Runs the script; gives the commit that it wrote down, too.
    fn fetch(&self, reference: &str, directory: &str) -> (Output, String) {
        let project = spec(
            r#"{"name":"a","environment":"local","repository":"https://h/a","builder":"maven"}"#,
        );
        let namespace = "default".parse().unwrap();
        let operation = OPERATION.parse().unwrap();
        let build = Build { operation, spec: &project, image: "x", namespace: &namespace };
        let script = self.path().join("fetch.sh");
        fs::write(&script, &config_map(&build).data.unwrap()["fetch.sh"]).unwrap();
        let told = self.path().join("told");
        fs::write(&told, "").unwrap();
        let output = Command::new("/bin/sh")
            .arg(script)
            .env("WORKSPACE", self.path().join("workspace"))
            .env("TERMINATION_LOG", &told)
            .env("REPOSITORY", format!("file://{}", self.path().join("sources").display()))
            .env("REF", reference)
            .env("DIRECTORY", directory)
            .env("ACCESS", "none")
            .env("ORIGIN", "")
            .output()
            .unwrap();
        (output, fs::read_to_string(told).unwrap().trim().to_owned())
    }

    fn fetched(&self) -> String {
        fs::read_to_string(self.path().join("workspace/checkout/job/file")).unwrap()
    }
}

#[test]
fn branches_tags_and_commits_are_fetched_as_they_are() {
    let repository = Repository::new();
    let (first, second) = (repository.first(), repository.second());
    for (reference, commit, content) in [
        ("main", &second, "2"),
        ("HEAD", &second, "2"),
        ("v1", &second, "2"),
        ("refs/tags/v1", &second, "2"),
        ("other", &first, "1"),
        ("light", &first, "1"),
        ("refs/heads/both", &first, "1"),
        (first.as_str(), &first, "1"),
        (second.as_str(), &second, "2"),
    ] {
        let (output, told) = repository.fetch(reference, "job");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{reference}: {said}");
        assert_eq!((&told, repository.fetched().as_str()), (commit, content), "{reference}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(&format!("is commit {commit}")), "{said}");
    }
}

#[test]
fn what_is_not_there_ends_with_its_own_status() {
    let repository = Repository::new();
    let nowhere = "0123456789abcdef0123456789abcdef01234567";
    for (reference, directory, status, words) in [
        ("nope", "", 91, "no branch and no tag nope"),
        ("both", "", 92, "a branch and a tag"),
        (nowhere, "", 93, "has the commit"),
        ("main", "jobs", 94, "no directory jobs"),
    ] {
        let (output, told) = repository.fetch(reference, directory);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), told.as_str()), (Some(status), ""), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_repository_that_is_not_there_is_what_git_says() {
    let repository = Repository::new();
    fs::rename(repository.path().join("sources"), repository.path().join("moved")).unwrap();
    let (output, _) = repository.fetch("main", "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let status = output.status.code().unwrap();
    let failure = flumen_project::Failure::of(flumen_project::Part::Fetch, status, "Error", &said);
    assert!(matches!(failure, flumen_project::Failure::NoRepository { .. }), "{failure:?}");
}

#[test]
fn submodules_and_files_of_lfs_are_said_to_be_missing() {
    let repository = Repository::new();
    fs::write(repository.path().join("sources/.gitmodules"), "").unwrap();
    fs::write(repository.path().join("sources/.gitattributes"), "*.bin filter=lfs\n").unwrap();
    repository.commit("3");
    let (output, _) = repository.fetch("main", "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("submodules are not fetched") && said.contains("Git LFS"), "{said}");
}
