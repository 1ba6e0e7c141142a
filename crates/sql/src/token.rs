use std::ops::Range;

/// A piece of a script as Flink's lexer cuts it. The tokens of a script, one after the other, are the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub span: Range<usize>,
    /// Whether a string, quoted identifier or comment has its end.
    pub is_closed: bool,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Blanks, tabs and line breaks.
    Space,
    /// `-- …` or `// …`, without the line break.
    LineComment,
    /// `/* … */`; comments do not nest.
    BlockComment,
    /// A keyword, an identifier without quotes, or a number.
    Word,
    /// An identifier in backticks.
    QuotedIdentifier,
    /// A text in single quotes; a prefix such as `U&` or `_UTF16` is a token before it.
    Text,
    /// What stands in double quotes, which Flink does not know.
    DoubleQuoted,
    /// `;`
    Semicolon,
    /// Any other character, and the `/*+` and `*/` around a hint.
    Symbol,
}

impl Token {
    /// Whether it means something, as space and comments do not.
    pub const fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment)
    }
}
