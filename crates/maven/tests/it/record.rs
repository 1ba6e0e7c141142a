//! What was recorded: see `tests/data/record/record.py`.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use flumen_maven::{Request, Resolution, Wanted};

/// One line of `cases.txt`.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) request: Request,
}

/// Where the recorded answers lie.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

pub(crate) fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(data().join("cases.txt")).expect("the cases");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(case).collect()
}

fn case(line: &str) -> Case {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a name").to_owned();
    let (excluded, wanted): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('-'));
    let exclusion = |word: &&str| word[1..].parse().expect("an exclusion");
    let exclusions: Vec<_> = excluded.iter().map(exclusion).collect();
    let one = |word: &&str| Wanted {
        coordinates: word.parse().expect("coordinates"),
        exclusions: exclusions.clone(),
    };
    let request = Request { wanted: wanted.iter().map(one).collect() };
    Case { name, request }
}

/// Path in the repository to the text that lies there.
pub(crate) fn repository() -> BTreeMap<String, String> {
    let packed = std::fs::File::open(data().join("repository.json.gz")).expect("the repository");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

/// What Maven printed, without the line of the project itself.
fn tree_of_maven(answers: &Path, case: &Case) -> String {
    let path = answers.join("trees").join(format!("{}.txt", case.name));
    let text = std::fs::read_to_string(path).expect("a tree");
    text.split_once('\n').expect("the project's line").1.to_owned()
}

/// A case and what we say of it.
pub(crate) type Resolved = (Case, Result<Resolution, String>);

/// Which of the cases have another tree than the recorded one.
pub(crate) fn differences(trees: &[Resolved]) -> Vec<String> {
    differences_from(&data(), trees)
}

/// Which of the cases have another tree than Maven's in this directory.
pub(crate) fn differences_from(answers: &Path, trees: &[Resolved]) -> Vec<String> {
    let shown = |(case, tree): &Resolved| {
        let tree = tree.as_ref().map_or_else(Clone::clone, ToString::to_string);
        (tree != tree_of_maven(answers, case)).then(|| format!("{}:\n{tree}", case.name))
    };
    trees.iter().filter_map(shown).collect()
}
