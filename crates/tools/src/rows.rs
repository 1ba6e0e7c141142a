use std::fmt::Write as _;

/// Width of the names on the left.
const NAMES: usize = 14;

/// Facts for people: a name and its values, one a line.
#[derive(Default)]
pub(crate) struct Rows(String);

impl Rows {
    /// Nothing, if there are no values.
    pub(crate) fn add(&mut self, name: &str, values: &[String]) {
        let mut name = name;
        for value in values {
            // Writing to a String does not fail.
            let _ = writeln!(self.0, "{name:NAMES$}  {value}");
            name = "";
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
