use flumen_model::Kind;
use flumen_project::{Failure, Part};

fn fetch(said: &str) -> Failure {
    Failure::of(Part::Fetch, 128, "Error", said)
}

#[test]
fn what_git_says_is_told_apart() {
    for (said, kind, words) in [
        (
            "remote: Repository not found.\nfatal: repository 'https://h/a.git/' not found",
            Kind::NotFound,
            "no such repository",
        ),
        (
            "fatal: '/a.git' does not appear to be a git repository",
            Kind::NotFound,
            "no such repository",
        ),
        ("fatal: Authentication failed for 'https://h/a.git/'", Kind::Denied, "credentials"),
        (
            "fatal: could not read Username for 'https://h': terminal prompts disabled",
            Kind::Denied,
            "credentials",
        ),
        (
            "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            Kind::Denied,
            "credentials",
        ),
        (
            "Host key verification failed.\nfatal: Could not read from remote repository.",
            Kind::Invalid,
            "known_hosts",
        ),
        (
            "fatal: unable to access 'https://h/a.git/': Could not resolve host: h",
            Kind::Unavailable,
            "could not be reached",
        ),
        (
            "fatal: unable to access 'https://h/': SSL certificate problem: unable to get",
            Kind::Unavailable,
            "could not be reached",
        ),
        ("fatal: early EOF", Kind::Invalid, "status 128"),
    ] {
        let failure = fetch(said);
        assert_eq!((failure.kind(), failure.code()), (kind, "project.fetch"), "{said}");
        let text = failure.to_string();
        assert!(text.contains(words) && text.contains(said.lines().last().unwrap()), "{text}");
    }
}

#[test]
fn every_failure_belongs_to_a_part_of_the_build() {
    for (part, status, expected) in [
        (Part::Fetch, 90, Part::Fetch),
        (Part::Fetch, 94, Part::Fetch),
        (Part::Build, 95, Part::Build),
        (Part::Build, 1, Part::Build),
        (Part::HandOver, 96, Part::HandOver),
        (Part::HandOver, 97, Part::HandOver),
        (Part::HandOver, 1, Part::HandOver),
    ] {
        assert_eq!(Failure::of(part, status, "", "x").part(), expected, "{part} {status}");
    }
    assert_eq!(Failure::of(Part::HandOver, 137, "OOMKilled", "").part(), Part::HandOver);
}

#[test]
fn the_pattern_and_the_better_log_are_filled_in() {
    let none = Failure::of(Part::HandOver, 97, "", "").with("target/*.jar", None);
    assert!(none.to_string().contains("target/*.jar"), "{none}");
    let built = Failure::of(Part::Build, 1, "", "the end").with("x", Some("[ERROR] why".into()));
    assert_eq!(built.to_string(), "the builder ended with status 1:\n[ERROR] why");
}
