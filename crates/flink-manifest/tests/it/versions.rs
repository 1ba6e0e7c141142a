//! The table of differences between Flink's minors, made from the code.

use std::{fs, path::Path};

use flumen_flink_manifest::feature::{ALL, Feature};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/flink-versions.md");

fn page() -> String {
    let row = |(name, feature): &(&str, Feature)| {
        let until = feature.until.map_or_else(String::new, |last| last.to_string());
        format!("| {} | {} | {until} | `{name}` |", feature.what, feature.since)
    };
    let rows: Vec<_> = ALL.iter().map(row).collect();
    format!(
        "<!-- Made from the code by a test of flumen-flink-manifest. -->\n\n\
         # What Flink's client does in some minors only\n\n\
         As it is rendered; `since` and `until` are the first and the last minor. 1.11 is the first that is known, and\n\
         what has no `until` is there in the newest one, 2.3.\n\n\
         | what | since | until | in the code |\n| --- | --- | --- | --- |\n{}\n",
        rows.join("\n")
    )
}

#[test]
fn the_table_of_differences_is_what_the_code_does() {
    let made = page();
    if fs::read_to_string(PAGE).is_ok_and(|stored| stored == made) {
        return;
    }
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flink-versions.md");
    fs::write(&copy, made).expect("written");
    panic!(
        "docs/generated/flink-versions.md is not what the code does; if the change is meant: cp {} docs/generated/flink-versions.md",
        copy.display()
    );
}
