use std::cell::RefCell;

use super::*;
use crate::{
    listing::Metadata,
    metadata::{self, Requires},
    requirements,
    target::{Target, python_311},
};

/// An index: `(file name, what its metadata say)`.
struct Index(Vec<(&'static str, &'static str)>);

struct Asked {
    picks: Vec<String>,
    rounds: usize,
}

impl Index {
    fn files(&self, project: &PackageName) -> Option<Vec<File>> {
        let of = |(name, _): &&(&str, &str)| {
            let start = name.split('-').next().unwrap_or_default().to_owned();
            PackageName::new(start).is_ok_and(|it| it == *project)
        };
        let files: Vec<File> = self.0.iter().filter(of).map(|(name, _)| file(name)).collect();
        (!files.is_empty()).then_some(files)
    }

    fn requires(&self, file: &File) -> Requires {
        let text = self.0.iter().find(|(name, _)| file.name == *name).map(|(_, text)| *text);
        let lines: Vec<_> =
            text.unwrap_or_default().split('|').map(|it| format!("Requires-Dist: {it}")).collect();
        if text.is_none_or(str::is_empty) {
            Ok(Vec::new())
        } else {
            metadata::parse(&lines.join("\n"))
        }
    }

    fn resolve(&self, text: &str, image: &[(&str, &str)]) -> Result<Asked, Error> {
        let wanted = requirements::parse("requirements.txt", text)?;
        let target = Target::new(&python_311())?;
        let installed = image.iter().map(|(name, version)| {
            (
                PackageName::new((*name).to_owned()).expect("a name"),
                version.parse().expect("a version"),
            )
        });
        let problem = Problem { wanted: &wanted, target: &target, installed: installed.collect() };
        let known = RefCell::new(Known::default());
        for rounds in 0.. {
            let step = step(&problem, &known.borrow())?;
            let mut known = known.borrow_mut();
            match step {
                Step::Done(picks) => {
                    let picks = picks.iter().map(|pick| pick.file.name.clone()).collect();
                    return Ok(Asked { picks, rounds });
                }
                Step::Need(need) => {
                    assert!(
                        !need.listings.is_empty() || !need.requires.is_empty(),
                        "it asks for nothing"
                    );
                    for project in need.listings {
                        let files = self.files(&project);
                        known.listings.insert(project, files);
                    }
                    for (version, file) in need.requires {
                        known.requires.insert(version, self.requires(&file));
                    }
                }
            }
        }
        unreachable!("it ends")
    }

    fn picks(&self, text: &str) -> Vec<String> {
        self.resolve(text, &[]).expect("resolved").picks
    }

    fn refuses(&self, text: &str, image: &[(&str, &str)]) -> String {
        match self.resolve(text, image) {
            Ok(Asked { picks, .. }) => panic!("{picks:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// `~yanked` after a name withdraws it.
fn file(name: &str) -> File {
    let url = format!("https://files.example/{name}");
    File {
        name: name.to_owned(),
        url: url.parse().expect("an address"),
        sha256: Some(hash(name)),
        requires_python: name.contains("needs312").then(|| ">=3.12".parse().expect("specifiers")),
        is_yanked: name.contains("yanked"),
        metadata: Metadata::InWheel,
    }
}

fn hash(name: &str) -> Digest {
    use sha2::{Digest as _, Sha256};

    Digest::from_sha256(&Sha256::digest(name.as_bytes()).into())
}

#[test]
fn the_newest_that_fits_is_taken_with_what_it_needs() {
    let index = Index(vec![
        ("a-1.0-py3-none-any.whl", "b>=1"),
        (
            "a-2.0-py3-none-any.whl",
            "b>=1,<3|c; python_version < '3.8'|d[fast]; sys_platform == 'linux'",
        ),
        ("a-3.0rc1-py3-none-any.whl", ""),
        ("b-1.0-py3-none-any.whl", ""),
        ("b-2.5-cp311-cp311-manylinux_2_17_x86_64.whl", ""),
        ("b-2.5-py3-none-any.whl", ""),
        ("b-3.0-py3-none-any.whl", ""),
        ("d-1.0-py3-none-any.whl", "e; extra == 'fast'|f; extra == 'slow'"),
        ("e-1.0-py3-none-any.whl", ""),
    ]);
    let expected = [
        "a-2.0-py3-none-any.whl",
        "b-2.5-cp311-cp311-manylinux_2_17_x86_64.whl",
        "d-1.0-py3-none-any.whl",
        "e-1.0-py3-none-any.whl",
    ];
    assert_eq!(index.picks("a"), expected);
    assert_eq!(index.picks("a>=3.0rc1"), ["a-3.0rc1-py3-none-any.whl"]);
    assert_eq!(index.picks("a<2\nb==1.*\n"), ["a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"]);
    assert_eq!(index.picks("z; python_version < '3'"), [""; 0]);
}

#[test]
fn an_older_version_is_taken_where_the_newest_does_not_go_with_the_rest() {
    let index = Index(vec![
        ("a-1.0-py3-none-any.whl", "c<2"),
        ("a-2.0-py3-none-any.whl", "c>=2"),
        ("b-1.0-py3-none-any.whl", "c<2"),
        ("c-1.0-py3-none-any.whl", ""),
        ("c-2.0-py3-none-any.whl", ""),
    ]);
    let expected = ["a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl", "c-1.0-py3-none-any.whl"];
    assert_eq!(index.picks("a\nb"), expected);
}

#[test]
fn a_contradiction_names_who_wants_what() {
    let index = Index(vec![
        ("a-1.0-py3-none-any.whl", "c<2"),
        ("b-1.0-py3-none-any.whl", "c>=2"),
        ("c-1.0-py3-none-any.whl", ""),
        ("c-2.0-py3-none-any.whl", ""),
    ]);
    assert_eq!(
        index.refuses("a\nb\n", &[]),
        "no version of c fits: c<2 (a 1.0) and c>=2 (b 1.0); the index has 2.0, 1.0"
    );
    assert_eq!(
        index.refuses("c==3\n", &[]),
        "no version of c fits: c==3 (line 1 of requirements.txt); the index has 2.0, 1.0"
    );
    assert!(index.refuses("x\n", &[]).contains("has no x, which line 1 of requirements.txt names"));
}

#[test]
fn what_is_no_wheel_for_this_python_is_named() {
    let index = Index(vec![
        ("crcmod-1.7.tar.gz", ""),
        ("win-1.0-cp311-cp311-win_amd64.whl", ""),
        ("new-1.0-needs312-py3-none-any.whl", ""),
        ("gone-1.0-0yanked-py3-none-any.whl", ""),
    ]);
    let told = index.refuses("crcmod", &[]);
    assert!(
        told.contains("Python 3.11.2 on x86_64") && told.contains("1.7 comes only as source"),
        "{told}"
    );
    assert!(index.refuses("win", &[]).contains("cp311-cp311-win_amd64"));
    assert!(index.refuses("new", &[]).contains("py3-none-any"));
    assert!(index.refuses("gone", &[]).contains("was withdrawn"));
    assert_eq!(index.picks("gone==1.0").len(), 1);
}

#[test]
fn what_the_image_has_is_not_fetched_where_it_fits() {
    let index =
        Index(vec![("a-1.0-py3-none-any.whl", "numpy>=1.20"), ("numpy-2.0-py3-none-any.whl", "")]);
    let image = [("numpy", "1.24.4"), ("apache-flink", "1.20.5")];
    let resolved = |text| index.resolve(text, &image).expect("resolved").picks;
    assert_eq!(resolved("a\napache-flink~=1.20.0\n"), ["a-1.0-py3-none-any.whl"]);
    assert_eq!(resolved("a\nnumpy>=2\n"), ["a-1.0-py3-none-any.whl", "numpy-2.0-py3-none-any.whl"]);
    let told = index.refuses("apache-flink==1.19.0", &image);
    assert!(told.contains("the image has apache-flink 1.20.5"), "{told}");
}

#[test]
fn a_hash_that_is_given_is_that_of_the_wheel_and_all_need_one() {
    let index = Index(vec![
        ("a-1.0-py3-none-any.whl", "b"),
        ("a-1.0-1-py3-none-any.whl", "b"),
        ("b-1.0-py3-none-any.whl", ""),
    ]);
    let (a, b) = (hash("a-1.0-py3-none-any.whl"), hash("b-1.0-py3-none-any.whl"));
    let whole = format!("a==1.0 --hash={a}\nb==1.0 --hash={b}\n");
    assert_eq!(index.picks(&whole), ["a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"]);
    assert_eq!(index.picks("a")[0], "a-1.0-1-py3-none-any.whl", "the larger build");
    let told = index.refuses(&format!("a==1.0 --hash={b}\n"), &[]);
    assert!(
        told.contains("no wheel of a 1.0 for this Python has a hash that requirements.txt names"),
        "{told}"
    );
    let told = index.refuses(&format!("a==1.0 --hash={a}\n"), &[]);
    assert!(
        told.contains("b, which a 1.0 needs, is not in the requirements with == and --hash"),
        "{told}"
    );
}

#[test]
fn one_round_asks_for_all_that_is_known_to_be_needed() {
    let index = Index(vec![
        ("a-1.0-py3-none-any.whl", "b|c|d"),
        ("b-1.0-py3-none-any.whl", ""),
        ("c-1.0-py3-none-any.whl", ""),
        ("d-1.0-py3-none-any.whl", "a"),
    ]);
    let Asked { picks, rounds } = index.resolve("a", &[]).expect("resolved");
    assert_eq!((picks.len(), rounds), (4, 4), "listing, metadata, three listings, three metadata");
}

#[test]
fn what_has_nothing_to_do_with_a_contradiction_is_not_tried_again() {
    let mut files = vec![
        ("c-1.0-py3-none-any.whl", ""),
        ("d-1.0-py3-none-any.whl", "c<2"),
        ("d-2.0-py3-none-any.whl", "c>=2"),
    ];
    let names: Vec<String> = (1..200).map(|it| format!("a-{it}.0-py3-none-any.whl")).collect();
    files.extend(names.iter().map(|name| (&*name.clone().leak(), "")));
    let index = Index(files);
    let Asked { picks, rounds } = index.resolve("a\nd\n", &[]).expect("resolved");
    assert_eq!(
        picks,
        ["a-199.0-py3-none-any.whl", "c-1.0-py3-none-any.whl", "d-1.0-py3-none-any.whl"]
    );
    assert!(rounds < 8, "{rounds} rounds");
    assert!(index.refuses("a\nc>=2\n", &[]).contains("no version of c fits"));
    assert!(index.refuses("a\nd\nc>=3\n", &[]).contains("no version of c fits"));
}
