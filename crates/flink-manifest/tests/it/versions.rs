//! The page about what differs between Flink's versions, made from the data that the code uses.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use flumen_flink_conf::{Catalogue, ConfigurationFormat, Feature, FlinkOption, parse_duration};
use flumen_flink_manifest::feature;
use flumen_model::FlinkMinor;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/flink-versions.md");

#[test]
fn the_table_in_the_docs_is_what_the_code_does() {
    let page = page();
    if fs::read_to_string(PAGE).is_ok_and(|known| known == page) {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flink-versions.md");
    fs::write(&new, page).unwrap();
    unreachable!(
        "docs/generated/flink-versions.md is not what the code does; if the change is meant: cp {} docs/generated/flink-versions.md",
        new.display()
    );
}

fn page() -> String {
    let mut page = String::from(
        "# Flink's versions\n\n\
         Made from the data of `flumen-flink-conf` and `flumen-flink-manifest` by a test of the latter.\n\n\
         ## Objects\n\n",
    );
    features(&mut page, feature::ALL);
    page.push_str("\n## Configuration\n\n");
    features(&mut page, flumen_flink_conf::feature::ALL);
    page.push_str("\n## Options\n\n");
    options(&mut page);
    page.push_str("\n## Defaults that changed\n\n");
    page.push_str(
        "Of options that users set and whose default is not computed when Flink runs.\n\n",
    );
    defaults(&mut page);
    page
}

fn features(page: &mut String, all: &[(&str, Feature)]) {
    page.push_str("| what | since | until |\n| --- | --- | --- |\n");
    for (_, Feature { what, since, until }) in all {
        let since =
            if *since == FlinkMinor::SUPPORTED[0] { String::new() } else { since.to_string() };
        let until = until.map(|until| until.to_string()).unwrap_or_default();
        writeln!(page, "| {what} | {since} | {until} |").expect("a String takes it");
    }
}

/// Each minor that has one before it, with both catalogues by key.
fn steps() -> impl Iterator<Item = (FlinkMinor, Options, Options)> {
    let pairs = FlinkMinor::SUPPORTED.windows(2);
    pairs.map(|pair| (pair[1], by_key(pair[0]), by_key(pair[1])))
}

type Options = BTreeMap<&'static str, &'static FlinkOption>;

fn by_key(minor: FlinkMinor) -> Options {
    let options = Catalogue::of(minor).iter().filter(|option| !option.internal);
    options.map(|option| (option.key, option)).collect()
}

fn options(page: &mut String) {
    page.push_str("| Flink | file | options | new | gone |\n| --- | --- | --- | --- | --- |\n");
    let first = FlinkMinor::SUPPORTED[0];
    let row = |minor: FlinkMinor, count: usize, new: usize, gone: usize| {
        let file = ConfigurationFormat::of(minor).file_name();
        format!("| {minor} | `{file}` | {count} | {new} | {gone} |\n")
    };
    page.push_str(&row(first, by_key(first).len(), 0, 0));
    for (minor, before, now) in steps() {
        let new = now.keys().filter(|key| !before.contains_key(*key)).count();
        let gone = before.keys().filter(|key| !now.contains_key(*key)).count();
        page.push_str(&row(minor, now.len(), new, gone));
    }
}

/// Bytes, milliseconds or a number: a default that only changed its words stays the same.
fn exact(option: &FlinkOption) -> Option<u128> {
    let default = option.default?;
    let milliseconds = || parse_duration(default, FlinkMinor::new(2, 3)).ok();
    option.default_exact.map(u128::from).or_else(|| milliseconds().map(|it| it.as_millis()))
}

fn defaults(page: &mut String) {
    page.push_str("| Flink | option | before | now |\n| --- | --- | --- | --- |\n");
    let text = |option: &FlinkOption| match option.default {
        None => "none".to_owned(),
        Some("") => "empty".to_owned(),
        Some(default) => format!("`{}`", default.replace('|', "\\|")),
    };
    for (minor, before, now) in steps() {
        for (key, new) in now {
            let Some(old) = before.get(key) else { continue };
            let is_computed = old.default_is_computed || new.default_is_computed;
            let is_same =
                old.default == new.default || (exact(old).is_some() && exact(old) == exact(new));
            if !is_computed && !is_same {
                writeln!(page, "| {minor} | `{key}` | {} | {} |", text(old), text(new))
                    .expect("a String takes it");
            }
        }
    }
}
