//! The table in docs/flink-drop-in.md is made from the options that the parser knows.

use std::{fs, path::Path};

use flumen_flink_cli::option_tables;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/flink-drop-in.md");
const BEGIN: &str = "<!-- made from the code: options -->\n";
const END: &str = "<!-- end of options -->";

#[test]
fn the_page_has_every_option_of_every_action() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the begin of the table");
    let (table, after) = rest.split_once(END).expect("the end of the table");
    let wanted = option_tables();
    if table.trim() == wanted.trim() {
        return;
    }
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flink-drop-in.md");
    fs::write(&made, format!("{before}{BEGIN}\n{wanted}\n{END}{after}")).expect("written");
    panic!(
        "docs/flink-drop-in.md is not what the code knows; if the change is meant: cp {} docs/flink-drop-in.md",
        made.display()
    );
}
