use proptest::prelude::*;

use super::*;

fn order(one: &str, other: &str) -> Ordering {
    Version::parse(one).cmp(&Version::parse(other))
}

/// What `java -cp maven-artifact.jar org.apache.maven.artifact.versioning.ComparableVersion` of Maven 3.8.7 says of every
/// two of some versions: `tests/data/record/versions.py`.
#[test]
fn the_order_is_mavens() {
    let mut wrong = Vec::new();
    for line in include_str!("../../tests/data/versions.txt").lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [one, sign, other] = words[..] else { continue };
        let found = match order(one, other) {
            Ordering::Less => "<",
            Ordering::Equal => "==",
            Ordering::Greater => ">",
        };
        if found != sign {
            wrong.push(format!("{line}, here {found}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_order_of_mavens_documentation() {
    let ascending = [
        "1-alpha-1",
        "1-beta",
        "1-milestone",
        "1-rc",
        "1-SNAPSHOT",
        "1",
        "1-sp",
        "1-abc",
        "1-1",
        "1.1",
        "1.9",
        "1.10",
        "2",
    ];
    for pair in ascending.windows(2) {
        assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    for same in ["1", "1.0", "1.0.0", "1-ga", "1.final", "1-0", "1.0-RELEASE"] {
        assert_eq!(order("1", same), Ordering::Equal, "{same}");
    }
}

#[test]
fn a_very_long_version_is_read() {
    let long = "1-".repeat(1_000_000);
    assert_eq!(order(&long, &long), Ordering::Equal);
}

proptest! {
    #[test]
    fn the_order_is_one(
        one in "[0-9a-z.-]{0,12}", two in "[0-9a-zé.-]{0,12}"
    ) {
        prop_assert_eq!(order(&one, &one), Ordering::Equal);
        prop_assert_eq!(order(&one, &two), order(&two, &one).reverse());
    }
}
