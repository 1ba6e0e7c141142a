//! The jar as Flink gets it. What it does on Flink is tested in `flumen-e2e`.

use std::io::{Cursor, Read as _};

use flumen_sql_runner::{JAR, MAIN_CLASS};
use zip::{DateTime, ZipArchive};

fn read(name: &str) -> Vec<u8> {
    let mut jar = ZipArchive::new(Cursor::new(JAR)).expect("a jar");
    let mut content = Vec::new();
    jar.by_name(name).expect("an entry").read_to_end(&mut content).expect("its content");
    content
}

fn names() -> Vec<String> {
    let jar = ZipArchive::new(Cursor::new(JAR)).expect("a jar");
    let name = |at| jar.name_for_index(at).expect("an entry").expect("a name").into_owned();
    (0..jar.len()).map(name).collect()
}

#[test]
fn it_holds_classes_of_its_own_and_nothing_of_flink() {
    let names = names();
    assert_eq!(names[0], "META-INF/MANIFEST.MF");
    assert!(names.len() > 5);
    assert!(names[1..].iter().all(|name| name.starts_with("flumen/sql/")), "{names:?}");
    assert!(JAR.len() < 40_000, "{} bytes", JAR.len());
}

#[test]
fn the_main_class_is_there_and_is_that_of_the_manifest() {
    let class = MAIN_CLASS.replace('.', "/") + ".class";
    assert!(names().contains(&class), "{class}");
    let manifest = String::from_utf8(read("META-INF/MANIFEST.MF")).expect("a text");
    assert!(manifest.contains(&format!("Main-Class: {MAIN_CLASS}\r\n")), "{manifest}");
}

#[test]
fn java_8_can_load_it() {
    for name in &names()[1..] {
        let class = read(name);
        assert_eq!((&class[..4], &class[6..8]), (&b"\xCA\xFE\xBA\xBE"[..], &[0, 52][..]), "{name}");
    }
}

#[test]
fn neither_the_clock_nor_the_order_of_files_is_in_it() {
    let names = names();
    assert!(names[1..].is_sorted(), "{names:?}");
    let mut jar = ZipArchive::new(Cursor::new(JAR)).expect("a jar");
    for name in &names {
        let modified = jar.by_name(name).expect("an entry").last_modified();
        assert_eq!(modified, Some(DateTime::default()), "{name}");
    }
}
