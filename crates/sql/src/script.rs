//! A script as statements. What lies between them is space, comments and semicolons only.

use std::ops::Range;

use crate::{
    Position, Resolved, StatementKind, Token, TokenKind,
    kind::{classify, may_hold_set},
    lexer::tokens,
    position::Lines,
};

/// A script that was cut into statements.
#[derive(Debug)]
pub struct Script<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    lines: Lines<'t>,
    statements: Vec<Statement>,
    resolved: Option<&'t Resolved<'t>>,
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is, by its first words.
    pub kind: StatementKind,
    /// Where it begins, after comments before it.
    pub start: Position,
    /// Where it ends, before its semicolon.
    pub end: Position,
    /// Whether a semicolon ends it.
    pub is_terminated: bool,
    /// The statements of `EXECUTE STATEMENT SET BEGIN …; …; END` and its like; none otherwise.
    pub parts: Vec<Statement>,
    /// Whether a set that begins in it ends in it; true for all else.
    pub is_complete: bool,
    pub(crate) tokens: Range<usize>,
}

impl<'t> Script<'t> {
    /// Cuts a script into its statements. Every text has some reading; what is wrong with it is said by
    /// [`check`](crate::check).
    pub fn parse(text: &'t str) -> Self {
        Self::cut(text, Lines::of(text), None)
    }

    /// The same of a script whose variables have their values. All places are those of the user's file.
    pub fn of(resolved: &'t Resolved<'t>) -> Self {
        let lines = Lines::of_pieces(resolved.source(), resolved.pieces());
        Self::cut(resolved.text(), lines, Some(resolved))
    }

    fn cut(text: &'t str, lines: Lines<'t>, resolved: Option<&'t Resolved<'t>>) -> Self {
        let tokens = tokens(text);
        let mut splitter = Splitter { text, tokens: &tokens, lines: &lines, at: 0 };
        let mut statements = Vec::new();
        while let Some(statement) = splitter.statement() {
            statements.push(statement);
        }
        Self { text, tokens, lines, statements, resolved }
    }

    /// The whole text, with the values of its variables.
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// The statements, in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The text of a statement, without its semicolon.
    pub fn text_of(&self, statement: &Statement) -> &'t str {
        &self.text[self.span(statement)]
    }

    /// The bytes of a statement in the text.
    pub(crate) fn span(&self, statement: &Statement) -> Range<usize> {
        let last = statement.tokens.end - 1;
        self.tokens[statement.tokens.start].span.start..self.tokens[last].span.end
    }

    /// What was done about its variables, if it had any to be looked at.
    pub(crate) const fn resolved(&self) -> Option<&'t Resolved<'t>> {
        self.resolved
    }

    /// All tokens of the text.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The tokens of a statement that mean something.
    pub(crate) fn significant(&self, statement: &Statement) -> Vec<&Token> {
        let tokens = &self.tokens[statement.tokens.clone()];
        tokens.iter().filter(|token| token.is_significant()).collect()
    }

    pub(crate) fn token_text(&self, token: &Token) -> &'t str {
        &self.text[token.span.clone()]
    }

    /// Where this byte of the text stood in the user's file.
    pub(crate) fn position(&self, offset: usize) -> Position {
        self.lines.position(offset)
    }
}

struct Splitter<'a, 't> {
    text: &'t str,
    tokens: &'a [Token],
    lines: &'a Lines<'t>,
    at: usize,
}

impl Splitter<'_, '_> {
    /// The next statement of the script, if there is one.
    fn statement(&mut self) -> Option<Statement> {
        let start = self.skip_between()?;
        let mut parts = Vec::new();
        let mut is_complete = true;
        let may_hold_set = may_hold_set(&self.text[self.tokens[start].span.clone()]);
        // How many of the words STATEMENT SET BEGIN were just read.
        let mut read = 0;
        while self.at < self.tokens.len() && self.tokens[self.at].kind != TokenKind::Semicolon {
            self.at += 1;
            if !may_hold_set || !self.tokens[self.at - 1].is_significant() {
                continue;
            }
            read = match read {
                0 | 1 if self.is_word(self.at - 1, "STATEMENT") => 1,
                1 if self.is_word(self.at - 1, "SET") => 2,
                2 if self.is_word(self.at - 1, "BEGIN") => 3,
                _ => 0,
            };
            if read == 3 && parts.is_empty() {
                is_complete = self.parts(&mut parts);
            }
        }
        Some(self.finish(start, parts, is_complete))
    }

    /// The statements of a set up to the `END` that ends it; whether there is one.
    fn parts(&mut self, parts: &mut Vec<Statement>) -> bool {
        while let Some(start) = self.skip_between() {
            if self.is_word(start, "END") {
                return true;
            }
            while self.at < self.tokens.len() && self.tokens[self.at].kind != TokenKind::Semicolon {
                self.at += 1;
            }
            parts.push(self.finish(start, Vec::new(), true));
        }
        false
    }

    /// Moves to the next token that is part of a statement.
    fn skip_between(&mut self) -> Option<usize> {
        let is_between =
            |token: &Token| !token.is_significant() || token.kind == TokenKind::Semicolon;
        let skipped = self.tokens[self.at..].iter().take_while(|token| is_between(token)).count();
        self.at += skipped;
        (self.at < self.tokens.len()).then_some(self.at)
    }

    fn finish(&self, start: usize, parts: Vec<Statement>, is_complete: bool) -> Statement {
        let within = &self.tokens[start..self.at];
        let last = within.iter().rposition(Token::is_significant).unwrap_or_default();
        let place = |offset| self.lines.position(offset);
        let tokens = start..start + last + 1;
        Statement {
            kind: classify(&self.words(tokens.clone())),
            start: place(self.tokens[start].span.start),
            end: place(self.tokens[start + last].span.end),
            is_terminated: self.tokens.get(self.at).is_some(),
            parts,
            is_complete,
            tokens,
        }
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        let token = &self.tokens[at];
        token.kind == TokenKind::Word && self.text[token.span.clone()].eq_ignore_ascii_case(word)
    }

    /// The tokens of the range that mean something, as classifying wants them.
    fn words(&self, range: Range<usize>) -> Vec<(TokenKind, &str)> {
        let significant = self.tokens[range].iter().filter(|token| token.is_significant());
        significant.map(|token| (token.kind, &self.text[token.span.clone()])).collect()
    }
}
