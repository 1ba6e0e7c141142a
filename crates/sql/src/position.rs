use std::fmt;

use crate::piece::{Piece, origin};

/// A place in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes before it.
    pub offset: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// Where the lines of the user's file begin, and where in it what stands in the script stood.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// The script as pieces of that file; none where it is the file itself.
    pieces: &'t [Piece],
    starts: Vec<usize>,
    /// How many characters begin before each block of bytes, so that no line is counted twice.
    characters: Vec<usize>,
}

const BLOCK: usize = 1024;

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self::of_pieces(text, &[])
    }

    /// Of a script that was made from these pieces of the text.
    pub(crate) fn of_pieces(text: &'t str, pieces: &'t [Piece]) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let characters = text.as_bytes().chunks(BLOCK).scan(0, |sum, block| {
            let before = *sum;
            *sum += beginnings(block);
            Some(before)
        });
        Self { text, pieces, starts, characters: characters.collect() }
    }

    /// The place of this byte of the script, which must begin a character or be its end.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = origin(self.pieces, offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Position { line, column: self.before(offset) - self.before(start) + 1, offset }
    }

    /// How many characters begin before this byte.
    fn before(&self, offset: usize) -> usize {
        let block = (offset / BLOCK).min(self.characters.len().saturating_sub(1));
        let counted = self.characters.get(block).copied().unwrap_or_default();
        counted + beginnings(&self.text.as_bytes()[block * BLOCK..offset])
    }
}

/// How many characters begin in these bytes of UTF-8.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_bytes() {
        let lines = Lines::of("aé;\n\nb");
        let place = |offset| lines.position(offset).to_string();
        assert_eq!(place(0), "1:1");
        assert_eq!(place(3), "1:3");
        assert_eq!(place(4), "1:4");
        assert_eq!(place(5), "2:1");
        assert_eq!(place(6), "3:1");
        assert_eq!(place(7), "3:2");
        assert_eq!(Lines::of("").position(0).to_string(), "1:1");
    }

    #[test]
    fn long_lines_are_counted_like_short_ones() {
        let text = "é日x😀".repeat(1000);
        let lines = Lines::of(&text);
        for (before, (offset, _)) in text.char_indices().enumerate() {
            assert_eq!(lines.position(offset).column, before + 1);
        }
        assert_eq!(lines.position(text.len()).column, 4001);
    }
}
