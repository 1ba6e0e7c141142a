//! Documents and what the configuration classes of 1.20.5 and 2.3.0 read out of them.

use flumen_flink_conf::{ConfigurationFormat, Error, parse_configuration_file};
use flumen_model::FlinkMinor;
use proptest::prelude::*;

const MINOR: FlinkMinor = FlinkMinor::new(2, 3);

fn read(text: &str, format: ConfigurationFormat) -> Result<Vec<String>, Error> {
    let parsed = parse_configuration_file(text, MINOR, format)?;
    let configuration = &parsed.configuration;
    Ok(configuration
        .iter()
        .map(|(key, value)| format!("{key} = {}", value.to_text(format)))
        .collect())
}

fn standard(text: &str) -> Result<Vec<String>, Error> {
    read(text, ConfigurationFormat::Standard)
}

#[test]
fn scalars_are_those_of_yaml_1_2() {
    let text = "a: 0755\nb: 0o14\nc: 0x1F\nd: 1.10\ne: 1e3\nf: 5.\ng: yes\nh: 1_000\ni: 1:30\nj: 2026-11-20\nk: TRUE\n\
                l: -0\nm: 123456789012345678901\nn: !!str 12\no: .inf\np: \"a\\tb\"\nq: ''\nr: ${HOME}\n";
    let expected = [
        "a = 755",
        "b = 12",
        "c = 31",
        "d = 1.1",
        "e = 1000.0",
        "f = 5.0",
        "g = yes",
        "h = 1_000",
        "i = 1:30",
        "j = 2026-11-20",
        "k = true",
        "l = 0",
        "m = 123456789012345678901",
        "n = 12",
        "o = .inf",
        "p = a\tb",
        "q = ",
        "r = ${HOME}",
    ];
    assert_eq!(standard(text).expect("valid"), expected);
}

#[test]
fn nested_keys_are_joined_and_lists_become_one_text() {
    let text = "l:\n  m.n: x\n  o: [[]]\np: []\nq: &x foo\nr: *x\ni: {}\n\
                h: [a, 'x, y', 1, '1', true, {k: v, z: 'a: b'}, [q], it's, '', '${a}', a#b, 'x?y', 'a:b', '-', \
                'l]', '\"q\"', 1.50, é, ' lead', 'http://x/y', \"a\\tb\"]\n";
    let expected = [
        "l.m.n = x",
        "l.o = [[]]",
        "p = []",
        "q = foo",
        "r = foo",
        "h = [a, 'x, y', 1, '1', true, {k: v, z: 'a: b'}, [q], it's, '', '${a}', a#b, 'x?y', 'a:b', '-', 'l]', \
         '\"q\"', 1.5, é, ' lead', 'http://x/y', \"a\\tb\"]",
    ];
    assert_eq!(standard(text).expect("valid"), expected);
}

#[test]
fn what_flink_refuses_is_refused_with_its_place_and_without_its_content() {
    for (text, place) in [
        ("a: 1\nb: ~\n", "line 2, column 4: the key b has no value"),
        ("a: secret\nsecret: x\na: secret\n", "line 3, column 1: this key is there twice"),
        ("a: 1\n1: 2\n", "line 2, column 1: a key must be a text"),
        ("- secret\n", "line 1, column 1: the document must be a mapping"),
        ("secret\n", "line 1, column 1: the document must be a mapping"),
        ("a: 1\n---\nb: secret\n", "line 2, column 1: expected one document"),
        ("a: [1, 2\nb: secret\n", "line 2"),
        ("a: b: secret\n", "line 1"),
        ("a: !secret x\n", "line 1, column 4: a tag"),
        ("a: @secret\n", "line 1"),
    ] {
        let error = standard(text).expect_err(text).to_string();
        assert!(error.starts_with("could not parse config.yaml, line "), "{error}");
        assert!(error.contains(place) && !error.contains("secret"), "{text:?}: {error}");
    }
}

#[test]
fn an_empty_document_is_an_empty_configuration() {
    for text in ["", "# nothing\n", "---\n", "\u{feff}"] {
        assert_eq!(standard(text).expect("valid"), [""; 0]);
    }
}

#[test]
fn a_byte_order_mark_inside_a_text_is_a_character() {
    assert_eq!(
        standard("a: \u{feff}\nb: 'x\u{feff}y'\n").expect("valid"),
        ["a = \u{feff}", "b = x\u{feff}y"]
    );
}

#[test]
fn documents_that_would_fill_the_memory_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.extend(["a", &level.to_string(), ": &a", &level.to_string(), " [", &aliases, "]\n"]);
    }
    assert!(standard(&bomb).is_err());
    assert!(standard(&format!("a: {}", "[".repeat(20_000))).is_err());
}

#[test]
fn the_line_parser_cuts_at_hashes_and_keeps_quotes() {
    let text = "a: b: c\n# comment\nurl: hdfs://nn/p#x\nquoted: \"x\"\nk:v\nempty: \n  padded :   y  \r\na: later\n";
    let parsed =
        parse_configuration_file(text, FlinkMinor::new(1, 18), ConfigurationFormat::Legacy)
            .expect("always read");
    let lines = read(text, ConfigurationFormat::Legacy).expect("always read");
    assert_eq!(lines, ["a = later", "url = hdfs://nn/p", "quoted = \"x\"", "padded = y"]);
    assert_eq!(parsed.skipped.iter().map(|skipped| skipped.line).collect::<Vec<_>>(), [5, 6]);
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "(?s).{0,200}") {
        let _ = standard(&text);
        let _ = read(&text, ConfigurationFormat::Legacy);
    }
}
