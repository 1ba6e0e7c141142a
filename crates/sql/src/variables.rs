//! Variables of scripts: `${name}` becomes the value of `name`, in names and texts too, but not in comments.
//! `$${` stands for `${`. `${secret:NAME/KEY}` in a text stays, for the runner to put the secret in.

mod problem;
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use flumen_model::{ObjectName, SecretEntry, VariableName};

use crate::{
    Finding, Token, TokenKind,
    lexer::{follows_e, next, tokens},
    piece::{Piece, PieceKind},
    position::Lines,
    text::nearest,
};

pub use problem::VariableProblem;
pub use reference::SecretReference;
use reference::{Mark, mark, next_mark};

/// A script whose variables have their values.
#[derive(Debug)]
pub struct Resolved<'t> {
    source: &'t str,
    text: String,
    pieces: Vec<Piece>,
    findings: Vec<Finding>,
    secrets: Vec<SecretReference>,
}

impl<'t> Resolved<'t> {
    /// The user's file.
    pub const fn source(&self) -> &'t str {
        self.source
    }

    /// The script that Flink gets, but for its secrets. A variable that is not known is still there as it was.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong or doubtful about its variables. [`check`](crate::check) tells it too.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The secrets that it needs, in their order.
    pub fn secrets(&self) -> &[SecretReference] {
        &self.secrets
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// Puts the values of variables into a script. Values are not looked into for variables.
pub fn resolve<'t>(source: &'t str, variables: &BTreeMap<VariableName, String>) -> Resolved<'t> {
    let lines = Lines::of(source);
    let mut resolver = Resolver {
        variables,
        lines: &lines,
        used: BTreeSet::new(),
        resolved: Resolved {
            source,
            text: String::with_capacity(source.len()),
            pieces: Vec::new(),
            findings: Vec::new(),
            secrets: Vec::new(),
        },
        copied: 0,
    };
    resolver.script();
    resolver.finish()
}

/// What a variable stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In no quotes.
    Bare,
    /// `` `…` ``
    Name,
    /// `'…'`, with nothing before it that changes what it means.
    Text,
    /// `E'…'`, where backslashes escape.
    Escaped,
    /// `U&'…'` and the like.
    Prefixed,
}

/// Whether something right before the text at this place changes what it means, as in `U&'…'`.
fn is_prefix(text: &str, last: Option<&Token>, at: usize) -> bool {
    last.filter(|last| last.span.end == at).is_some_and(|last| {
        last.kind == TokenKind::Word || text[last.span.clone()].starts_with('&')
    })
}

struct Resolver<'t, 'v> {
    variables: &'v BTreeMap<VariableName, String>,
    lines: &'v Lines<'t>,
    used: BTreeSet<&'v str>,
    resolved: Resolved<'t>,
    /// How much of the file is in the script already.
    copied: usize,
}

impl<'t, 'v> Resolver<'t, 'v> {
    fn script(&mut self) {
        let text = self.resolved.source;
        let mut last: Option<Token> = None;
        let mut at = 0;
        while at < text.len() {
            if let Some((mark, length)) = mark(&text[at..]) {
                self.replace(at, length, &mark, Place::Bare);
                at += length;
                last = None;
                continue;
            }
            let escapes = follows_e(text, last.as_ref(), at);
            let (kind, length, is_closed) = next(&text[at..], escapes);
            // A word may hold the `$` of a variable.
            let is_word = kind == TokenKind::Word;
            let within = next_mark(text, at..at + length).filter(|_| is_word);
            let length = within.map_or(length, |within| within - at);
            let span = at..at + length;
            let place = match kind {
                TokenKind::QuotedIdentifier => Some(Place::Name),
                TokenKind::Text if escapes => Some(Place::Escaped),
                TokenKind::Text if is_prefix(text, last.as_ref(), at) => Some(Place::Prefixed),
                TokenKind::Text => Some(Place::Text),
                _ => None,
            };
            if let Some(place) = place {
                self.quoted(span.clone(), place);
            }
            last = Some(Token { kind, span, is_closed });
            at += length;
        }
    }

    fn quoted(&mut self, span: std::ops::Range<usize>, place: Place) {
        let text = self.resolved.source;
        let mut at = span.start;
        while let Some(start) = next_mark(text, at..span.end) {
            let Some((mark, length)) = mark(&text[start..span.end]) else { return };
            self.replace(start, length, &mark, place);
            at = start + length;
        }
    }

    fn replace(&mut self, at: usize, length: usize, mark: &Mark<'_>, place: Place) {
        match mark {
            Mark::Escape => self.put(at, length, "${", PieceKind::Value),
            Mark::Malformed => self.find(at, VariableProblem::Malformed),
            Mark::Variable(name) => {
                if let Some((name, value)) = self.variables.get_key_value(*name) {
                    self.used.insert(name.as_str());
                    self.value(at, length, (name.as_str(), value), place);
                } else {
                    let known = self.variables.keys().map(VariableName::as_str);
                    let suggestion = nearest(name, known).map(ToOwned::to_owned);
                    let name = (*name).to_owned();
                    self.find(at, VariableProblem::Unknown { name, suggestion });
                }
            }
            Mark::Secret { name, entry } => self.secret(at, length, (name, entry), place),
        }
    }

    fn value(&mut self, at: usize, length: usize, (name, value): (&'v str, &'v str), place: Place) {
        let name = || name.to_owned();
        if value.contains("${secret:") {
            self.find(at, VariableProblem::SecretInValue { name: name() });
        }
        let written = match place {
            Place::Bare => {
                let tokens = tokens(value);
                let ends_in_comment =
                    tokens.last().is_some_and(|last| last.kind == TokenKind::LineComment);
                if ends_in_comment || tokens.iter().any(|token| !token.is_closed) {
                    self.find(at, VariableProblem::NotClosed { name: name() });
                }
                value.to_owned()
            }
            Place::Name => value.replace('`', "``"),
            Place::Text | Place::Prefixed => value.replace('\'', "''"),
            Place::Escaped => value.replace('\\', "\\\\").replace('\'', "''"),
        };
        self.put(at, length, &written, PieceKind::Value);
    }

    fn secret(&mut self, at: usize, length: usize, (name, entry): (&str, &str), place: Place) {
        let parsed = (name.parse::<ObjectName>(), entry.parse::<SecretEntry>());
        let (Ok(name), Ok(entry)) = parsed else {
            return self.find(at, VariableProblem::MalformedSecret);
        };
        if place != Place::Text {
            return self.find(at, VariableProblem::SecretPlace);
        }
        let written = &self.resolved.source[at..at + length];
        self.put(at, length, written, PieceKind::Secret);
        let at = self.lines.position(at);
        self.resolved.secrets.push(SecretReference { name, entry, at });
    }

    /// Puts a text in the place of so many bytes of the file.
    fn put(&mut self, at: usize, length: usize, text: &str, kind: PieceKind) {
        self.copy(at);
        self.piece(kind, at);
        self.resolved.text.push_str(text);
        self.copied = at + length;
    }

    fn copy(&mut self, end: usize) {
        if self.copied < end {
            self.piece(PieceKind::Text, self.copied);
            self.resolved.text.push_str(&self.resolved.source[self.copied..end]);
            self.copied = end;
        }
    }

    fn piece(&mut self, kind: PieceKind, origin: usize) {
        let at = self.resolved.text.len();
        self.resolved.pieces.push(Piece { kind, at, origin });
    }

    fn find(&mut self, at: usize, problem: VariableProblem) {
        self.resolved.findings.push(problem.at(self.lines.position(at)));
    }

    fn finish(mut self) -> Resolved<'t> {
        self.copy(self.resolved.source.len());
        self.piece(PieceKind::Text, self.resolved.source.len());
        let unused = self.variables.keys().filter(|name| !self.used.contains(name.as_str()));
        let unused = unused.map(|name| VariableProblem::Unused { name: name.to_string() });
        let start = self.lines.position(0);
        self.resolved.findings.extend(unused.map(|problem| problem.at(start)));
        self.resolved
    }
}

#[cfg(test)]
mod tests;
