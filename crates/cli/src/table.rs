//! What is to be printed, before colour and width are known.

/// Rows under a header, or pairs of a word and its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// What a text says, which its colour shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Something is on its way, or works with a limit.
    Notice,
    /// Something is wrong.
    Bad,
    /// Less important.
    Quiet,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// An empty list of words and values.
    pub const fn pairs() -> Self {
        Self { header: Vec::new(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds a word and its value.
    pub fn pair(&mut self, word: &'static str, value: impl Into<Cell>) {
        self.rows.push(vec![Cell { text: word.to_owned(), tone: Tone::Quiet }, value.into()]);
    }

    /// Adds a word and its value where there is one.
    pub fn pair_if(&mut self, word: &'static str, value: Option<impl Into<Cell>>) {
        if let Some(value) = value {
            self.pair(word, value);
        }
    }
}

impl Cell {
    /// A text that says this.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, tone: Tone::Plain }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
