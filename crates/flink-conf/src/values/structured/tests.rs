use proptest::prelude::*;

use super::*;
use ConfigurationFormat::{Legacy, Standard};

const MINOR: FlinkMinor = FlinkMinor::new(1, 20);

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn arguments_are_written_as_flinks_client_writes_them_up_to_1_18() {
    let arguments = [
        "--input",
        "a b",
        "--json",
        r#"{"k": [1, "x"]}"#,
        "--empty",
        "",
        "--semi",
        "a;b",
        "-Dlike=1",
    ];
    let text = r#"--input;a b;--json;'{"k": [1, "x"]}';--empty;;--semi;'a;b';-Dlike=1"#;
    assert_eq!(render_list(&texts(&arguments), Legacy), text);
    assert_eq!(parse_list(text, Legacy), Ok(texts(&arguments)));
}

#[test]
fn a_list_is_read_as_yaml_where_it_is_yaml_and_split_where_it_is_not() {
    for (text, expected) in [
        ("[a, 'b;c', 1, 1.50]", vec!["a", "b;c", "1", "1.5"]),
        ("a;b", vec!["a", "b"]),
        ("a", vec!["a"]),
        ("", vec![]),
        ("[a, null]", vec!["[a, null]"]),
        ("[{k: v}, [x]]", vec!["{k: v}", "[x]"]),
    ] {
        assert_eq!(parse_list(text, Standard), Ok(texts(&expected)), "{text}");
    }
    assert_eq!(parse_list("[a, b]", Legacy), Ok(texts(&["[a, b]"])));
}

#[test]
fn empty_elements_count_between_delimiters_only() {
    assert_eq!(parse_list(";a;;b;", Legacy), Ok(texts(&["a", "", "b"])));
    assert_eq!(parse_list("'';a;''", Legacy), Ok(texts(&["", "a", ""])));
}

#[test]
fn quotes_must_be_closed_and_stand_alone() {
    assert_eq!(parse_list("'a", Legacy), Err(NOT_CLOSED.to_owned()));
    assert_eq!(parse_list("'a'b", Legacy), Err(AFTER_QUOTES.to_owned()));
    assert_eq!(parse_list("'it''s'", Legacy), Ok(texts(&["it's"])));
}

#[test]
fn a_map_has_one_colon_in_each_entry_unless_it_is_quoted() {
    let expected = Ok(map(&[("a", "1"), ("b", "x y")]));
    for text in ["a:1,b:x y", "a : 1, b: x y", "{a: 1, b: x y}"] {
        assert_eq!(parse_map(text, Standard), expected, "{text}");
    }
    assert_eq!(parse_map("a:1,b:x y", Legacy), expected);
    assert_eq!(parse_map("u:http://x", Legacy), Err(NO_PAIR.to_owned()));
    assert_eq!(parse_map("'u:''http://x'''", Legacy), Ok(map(&[("u", "http://x")])));
    assert!(parse_map("a:1,a:2", Legacy).is_err_and(|error| error.contains("twice")));
    assert!(parse_map("a", Legacy).is_err());
}

#[test]
fn tolerations_are_maps_with_semicolons_between_them() {
    let expected = vec![map(&[("key", "k1"), ("operator", "Equal")]), map(&[("key", "k2")])];
    let text = "key:k1,operator:Equal;key:k2";
    assert_eq!(parse_list_of_maps(text, Legacy, MINOR).as_ref(), Ok(&expected));
    assert_eq!(parse_list_of_maps(text, Standard, MINOR).as_ref(), Ok(&expected));
    let yaml = "[{key: k1, operator: Equal}, {key: k2}]";
    assert_eq!(parse_list_of_maps(yaml, Standard, MINOR).as_ref(), Ok(&expected));
    assert_eq!(render_list_of_maps(&expected, Legacy), text);
    assert_eq!(render_list_of_maps(&expected, Standard), yaml);
}

fn format() -> impl Strategy<Value = ConfigurationFormat> {
    prop_oneof![Just(Legacy), Just(Standard)]
}

fn tricky() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("a"),
            Just(";"),
            Just(","),
            Just(":"),
            Just("'"),
            Just("\""),
            Just(" "),
            Just("é")
        ],
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn lists_are_read_back_as_they_were(items in proptest::collection::vec(tricky(), 0..5), format in format()) {
        prop_assert_eq!(parse_list(&render_list(&items, format), format), Ok(items));
    }

    #[test]
    fn maps_are_read_back_as_they_were(
        map in proptest::collection::btree_map(tricky(), tricky(), 0..4),
        format in format(),
    ) {
        prop_assert_eq!(parse_map(&render_map(&map, format), format), Ok(map));
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in ".*", format in format()) {
        let _ = parse_list(&text, format);
        let _ = parse_map(&text, format);
        let _ = parse_list_of_maps(&text, format, MINOR);
    }
}
