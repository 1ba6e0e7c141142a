use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{Node, Scalar, resolve};

/// How deep collections may lie in each other.
const DEPTH: usize = 64;
const BYTE_ORDER_MARK: char = '\u{feff}';
/// How many nodes a document may have, aliases followed.
const NODES: usize = 100_000;

/// What is wrong with a document, and where (both counted from 1). The document's content is not in
/// the text: it may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) problem: String,
}

/// A node with the place where it starts, for a document whose values are named in errors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) node: PlacedNode,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlacedNode {
    Scalar(Scalar),
    Sequence(Vec<Placed>),
    Mapping(Vec<(Placed, Placed)>),
}

impl Placed {
    pub(crate) fn to_node(&self) -> Node {
        match &self.node {
            PlacedNode::Scalar(scalar) => Node::Scalar(scalar.clone()),
            PlacedNode::Sequence(items) => {
                Node::Sequence(items.iter().map(Self::to_node).collect())
            }
            PlacedNode::Mapping(entries) => Node::Mapping(
                entries.iter().map(|(key, value)| (key.to_node(), value.to_node())).collect(),
            ),
        }
    }

    pub(crate) fn fault(&self, problem: impl Into<String>) -> Fault {
        Fault { line: self.line, column: self.column, problem: problem.into() }
    }

    fn size(&self) -> usize {
        1 + match &self.node {
            PlacedNode::Scalar(_) => 0,
            PlacedNode::Sequence(items) => items.iter().map(Self::size).sum(),
            PlacedNode::Mapping(entries) => {
                entries.iter().map(|(key, value)| key.size() + value.size()).sum()
            }
        }
    }
}

/// Reads a value that was written as YAML inside a text; nothing if the text is no YAML.
pub(crate) fn load_value(text: &str) -> Option<Node> {
    // The parser here is more lenient than Flink's with tabs before a value.
    if text.trim_start_matches([' ', '\n', '-']).starts_with('\t') {
        return None;
    }
    load_document(text).ok()?.map(|placed| placed.to_node())
}

/// Reads the one document of a text; nothing if there is none.
pub(crate) fn load_document(text: &str) -> Result<Option<Placed>, Fault> {
    // Flink takes a byte order mark inside a text for a character like others; the parser here does
    // not, so that one which the text does not have stands for it.
    let stand_in = if text.contains(BYTE_ORDER_MARK) {
        ('\u{e000}'..='\u{f8ff}').find(|stand_in| !text.contains(*stand_in))
    } else {
        None
    };
    let replaced =
        stand_in.map(|stand_in| text.replace(BYTE_ORDER_MARK, stand_in.encode_utf8(&mut [0; 4])));
    let mut loader = Loader::new(replaced.as_deref().unwrap_or(text), stand_in);
    let root = loader.document()?;
    loader.end()?;
    Ok(root)
}

struct Loader<'input> {
    parser: Parser<'input, StrInput<'input>>,
    anchors: HashMap<usize, Placed>,
    nodes: usize,
    /// What stands for a byte order mark.
    stand_in: Option<char>,
}

impl<'input> Loader<'input> {
    fn new(text: &'input str, stand_in: Option<char>) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(text, options);
        Self { parser, anchors: HashMap::new(), nodes: 0, stand_in }
    }

    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, Fault> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(next)) => return Ok(Some(next)),
                Some(Err(error)) => {
                    let at = error.marker();
                    let problem = crate::read::without_content(&error);
                    return Err(Fault { line: at.line(), column: at.col() + 1, problem });
                }
                None => return Ok(None),
            }
        }
    }

    fn document(&mut self) -> Result<Option<Placed>, Fault> {
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd => return Ok(None),
                event => return self.node(event, span, 0).map(Some),
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<(), Fault> {
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::DocumentStart(..)) {
                return Err(fault(span, "expected one document, found a second one"));
            }
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Placed, Fault> {
        self.nodes += 1;
        if depth > DEPTH || self.nodes > NODES {
            return Err(fault(span, "the document is nested too deeply or too large"));
        }
        let anchor = event.anchor_id().unwrap_or(0);
        let node = match event {
            Event::Scalar(text, style, _, tag) => {
                let text = match self.stand_in {
                    None => text,
                    Some(stand_in) => text.replace(stand_in, "\u{feff}").into(),
                };
                let scalar = typed(&text, style, tag.as_deref());
                PlacedNode::Scalar(scalar.map_err(|problem| fault(span, problem))?)
            }
            Event::SequenceStart(..) => PlacedNode::Sequence(self.sequence(depth)?),
            Event::MappingStart(..) => PlacedNode::Mapping(self.mapping(depth)?),
            Event::Alias(id) => return self.alias(id, span),
            _ => return Err(fault(span, "expected a value")),
        };
        let placed = Placed { node, line: span.start.line(), column: span.start.col() + 1 };
        if anchor != 0 {
            self.anchors.insert(anchor, placed.clone());
        }
        Ok(placed)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Placed, Fault> {
        let target =
            self.anchors.get(&id).ok_or_else(|| fault(span, "an alias that refers to itself"))?;
        self.nodes += target.size();
        if self.nodes > NODES {
            return Err(fault(span, "aliases make the document too large"));
        }
        Ok(target.clone())
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Placed>, Fault> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.node(event, span, depth + 1)?);
        }
        Ok(items)
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(Placed, Placed)>, Fault> {
        let mut entries: Vec<(Placed, Placed)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            if !seen.insert(super::flow_text(&key.to_node())) {
                return Err(key.fault("this key is there twice"));
            }
            let Some((event, span)) = self.next()? else { break };
            entries.push((key, self.node(event, span, depth + 1)?));
        }
        Ok(entries)
    }
}

fn fault(span: Span, problem: impl Into<String>) -> Fault {
    let at = span.tag_start().unwrap_or(span.start);
    Fault { line: at.line(), column: at.col() + 1, problem: problem.into() }
}

/// A plain scalar is resolved, a quoted one is text; a tag of the core schema decides otherwise.
fn typed(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, String> {
    let resolved = || resolve(text);
    match tag.map(|tag| (tag.core_suffix(), tag)) {
        None if style == ScalarStyle::Plain => Ok(resolved()),
        None | Some((Some("str"), _)) => Ok(Scalar::Text(text.to_owned())),
        Some((Some("int" | "float" | "bool" | "null"), _)) => Ok(resolved()),
        Some((_, tag)) if tag.original() == "!" => Ok(Scalar::Text(text.to_owned())),
        Some(_) => Err("a tag that is not of YAML's core schema".to_owned()),
    }
}
