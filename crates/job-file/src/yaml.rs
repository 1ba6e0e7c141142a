//! From YAML events to trees. Anchors work; merge keys (`<<`) are no part of YAML 1.2 and are refused.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::{
    Problem,
    node::{Entry, Node, Position, Scalar, Value},
};

/// Aliases copy what they name, and a small file can name very much.
const MAX_NODES: usize = 100_000;

/// The documents that hold something, up to the first fault of syntax.
pub(crate) fn read(text: &str) -> (Vec<Node>, Option<Problem>) {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    let fault = parser.find_map(|next| match next {
        Ok((event, span)) => builder.take(event, span).err(),
        Err(error) => {
            let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
            Some(problem(at, format!("this is no YAML: {}", error.info())))
        }
    });
    (builder.documents, fault)
}

fn problem(at: Position, message: String) -> Problem {
    Problem { line: at.line, column: at.column, key: String::new(), message }
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A list or map whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<(Position, String)>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_text(tag.as_deref(), at)?;
                let value = Value::Scalar(Scalar { text: text.into_owned(), plain });
                self.complete(Node { at, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { at, anchor, content: Content::List(Vec::new()) });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                self.open.push(Open { at, anchor, content: Content::Map(Vec::new(), None) });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let named = self.anchors.get(&anchor).cloned();
                let node = named
                    .ok_or_else(|| problem(at, "this alias stands inside its own anchor".into()))?;
                self.nodes += count(&node);
                self.complete(Node { at, value: node.value }, 0)
            }
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(Open { at, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map(entries, _) => Value::Map(entries),
        };
        self.complete(Node { at, value }, anchor)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(problem(node.at, format!("more than {MAX_NODES} values in one file")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                let empty = matches!(&node.value, Value::Scalar(scalar) if scalar.is_null());
                self.documents.extend((!empty).then_some(node));
            }
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(entries, key)) => match key.take() {
                Some((at, key)) => entries.push(Entry { at, key, node }),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }
}

fn key_of(node: Node) -> Result<(Position, String), Problem> {
    match node.value {
        Value::Scalar(Scalar { text, plain: true }) if text == "<<" => Err(problem(
            node.at,
            "merge keys (<<) are not supported: write the keys out, or alias the whole map".into(),
        )),
        Value::Scalar(scalar) => Ok((node.at, scalar.text)),
        Value::List(_) | Value::Map(_) => {
            Err(problem(node.at, "a key must be a text, not a list or a map".into()))
        }
    }
}

/// Whether a tag says that an unquoted scalar is text all the same.
fn is_text(tag: Option<&Tag>, at: Position) -> Result<bool, Problem> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.handle() == "tag:yaml.org,2002:" && tag.suffix() == "str" => Ok(true),
        Some(tag) => Err(problem(
            at,
            format!("the tag {}{} is not supported: only !!str is", tag.handle(), tag.suffix()),
        )),
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|entry| count(&entry.node)).sum(),
    }
}
