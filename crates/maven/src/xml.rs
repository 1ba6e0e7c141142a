//! XML as Maven's own reader takes it, which is more than XML allows: names such as `<Xlint:-unchecked>`, prefixes that
//! nobody declared, entities of HTML. The text is tidied first, then read by roxmltree.

use memchr::memchr;
use roxmltree::{Document, Node, ParsingOptions};

/// The largest file that is read, in bytes; the largest POM on Maven Central has less than 1 MB.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// The most elements and texts of a document.
const MAX_NODES: u32 = 400_000;
/// How deep elements lie within each other at most; a POM has about ten levels.
const MAX_DEPTH: usize = 200;

/// Why a text is no XML, even when taken kindly.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// It is larger than any file of its kind.
    #[error("it has {bytes} bytes, at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Elements lie too deep within each other.
    #[error("its elements lie more than {MAX_DEPTH} deep within each other")]
    TooDeep,
    /// A tag or comment does not end.
    #[error("a tag or comment that begins at byte {at} does not end")]
    Unclosed {
        /// Where it begins.
        at: usize,
    },
    /// An element ends that another one began.
    #[error("the tag at byte {at} ends an element that did not begin there")]
    Crossed {
        /// Where the tag begins.
        at: usize,
    },
    /// It is not well-formed.
    #[error("it is no XML")]
    Parse(#[source] roxmltree::Error),
    /// Its outermost element is another one.
    #[error("its outermost element is {found}, expected {expected}")]
    Root {
        /// The element.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// Reads bytes as UTF-8, or as Latin-1 where they are none.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Reads a document and gives its outermost element, which must be `expected`, to `then`.
pub(crate) fn read<T>(
    text: &str,
    expected: &'static str,
    then: impl FnOnce(Node<'_, '_>) -> T,
) -> Result<T, XmlError> {
    read_without(|_, _| false, text, expected, then)
}

/// As [`read`], without the elements of which `is_unread` says so, by the names that they are within and their own.
pub(crate) fn read_without<T>(
    is_unread: impl Fn(&[&str], &str) -> bool,
    text: &str,
    expected: &'static str,
    then: impl FnOnce(Node<'_, '_>) -> T,
) -> Result<T, XmlError> {
    if text.len() > MAX_BYTES {
        return Err(XmlError::TooLarge { bytes: text.len() });
    }
    let tidied = tidy(text, is_unread)?;
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&tidied, options).map_err(XmlError::Parse)?;
    let root = document.root_element();
    let found = root.tag_name().name();
    if found != expected {
        return Err(XmlError::Root { found: found.to_owned(), expected });
    }
    Ok(then(root))
}

/// The child element of that name.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The elements of that name in a child element that lists them.
pub(crate) fn listed<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    list: &str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    child(node, list)
        .into_iter()
        .flat_map(|list| list.children())
        .filter(move |child| child.has_tag_name(name))
}

/// The text of the child element of that name, without white space around it; none if there is none or it is empty.
pub(crate) fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).map(own_text).filter(|text| !text.is_empty())
}

/// The text of the element itself, without white space around it.
pub(crate) fn own_text(node: Node<'_, '_>) -> String {
    let parts = node.children().filter(Node::is_text).filter_map(|part| part.text());
    parts.collect::<String>().trim().to_owned()
}

/// The same document without what XML does not allow and resolution does not read: attributes, comments, declarations,
/// colons in names, unknown entities, unread elements.
fn tidy(text: &str, is_unread: impl Fn(&[&str], &str) -> bool) -> Result<String, XmlError> {
    let mut tidied = Tidied::new(text.len(), is_unread);
    let mut rest = text;
    while let Some(start) = memchr(b'<', rest.as_bytes()) {
        tidied.push_text(&rest[..start]);
        let at = text.len() - rest.len() + start;
        let tag = &rest[start..];
        let after = |prefix: &str, end: &'static str| {
            let inner = tag.strip_prefix(prefix)?;
            Some(inner.find(end).map(|index| inner.split_at(index)))
        };
        if let Some(comment) = after("<!--", "-->") {
            rest = &comment.ok_or(XmlError::Unclosed { at })?.1[3..];
        } else if let Some(data) = after("<![CDATA[", "]]>") {
            let (data, tail) = data.ok_or(XmlError::Unclosed { at })?;
            tidied.push_data(data);
            rest = &tail[3..];
        } else if let Some(instruction) = after("<?", "?>") {
            rest = &instruction.ok_or(XmlError::Unclosed { at })?.1[2..];
        } else {
            let end = end_of_tag(tag).ok_or(XmlError::Unclosed { at })?;
            tidied.push_tag(&tag[1..end], at)?;
            rest = &tag[end + 1..];
        }
    }
    tidied.push_text(rest);
    Ok(tidied.out)
}

/// What is read of a document, as far as it was gone through.
struct Tidied<'t, F> {
    out: String,
    /// The names of the elements that are open.
    open: Vec<&'t str>,
    /// How many are open around the unread element that this is in.
    around_unread: Option<usize>,
    is_unread: F,
}

impl<'t, F: Fn(&[&str], &str) -> bool> Tidied<'t, F> {
    fn new(size: usize, is_unread: F) -> Self {
        let out = String::with_capacity(size);
        Self { out, open: Vec::new(), around_unread: None, is_unread }
    }

    fn push_text(&mut self, text: &str) {
        // Most of a POM is the white space between tags.
        let is_nothing = text.trim_ascii().is_empty() && self.out.ends_with('>');
        if self.around_unread.is_none() && !is_nothing {
            push_text(&mut self.out, text);
        }
    }

    fn push_data(&mut self, data: &str) {
        if self.around_unread.is_none() {
            self.out.extend(data.chars().filter_map(escaped).flatten());
        }
    }

    /// Takes what stands between `<` and `>`. A declaration vanishes.
    fn push_tag(&mut self, inner: &'t str, at: usize) -> Result<(), XmlError> {
        if inner.starts_with('!') {
            return Ok(());
        }
        let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let (is_empty, inner) =
            inner.strip_suffix('/').map_or((false, inner), |inner| (true, inner));
        let name = inner.split_whitespace().next().unwrap_or("_");
        if is_end {
            let opened = self.open.pop();
            if let Some(around) = self.around_unread {
                // Nobody else sees what stands here.
                if opened != Some(name) {
                    return Err(XmlError::Crossed { at });
                }
                if self.open.len() == around {
                    self.around_unread = None;
                }
                return Ok(());
            }
        } else if !is_empty {
            if self.around_unread.is_none() && (self.is_unread)(&self.open, name) {
                self.around_unread = Some(self.open.len());
            }
            self.open.push(name);
            if self.open.len() > MAX_DEPTH {
                return Err(XmlError::TooDeep);
            }
        }
        if self.around_unread.is_none() {
            push_name(&mut self.out, name, if is_end { "</" } else { "<" });
            self.out.push_str(if is_empty { "/>" } else { ">" });
        }
        Ok(())
    }
}

/// Where the tag ends: at the first `>` outside of quotes, and for a DOCTYPE outside of brackets.
fn end_of_tag(tag: &str) -> Option<usize> {
    let bytes = tag.as_bytes();
    // Most have no attributes.
    let first = memchr(b'>', bytes)?;
    if !bytes[..first].iter().any(|byte| matches!(byte, b'"' | b'\'' | b'[')) {
        return Some(first);
    }
    let mut quote = None;
    let mut brackets = 0_usize;
    for (index, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => brackets += 1,
            (None, b']') => brackets = brackets.saturating_sub(1),
            (None, b'>') if brackets == 0 => return Some(index),
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// Writes the begin of a tag and its name, as far as XML allows it.
fn push_name(out: &mut String, name: &str, begin: &str) {
    out.push_str(begin);
    if !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        out.push('_');
    }
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.bytes().all(is_fine) {
        out.push_str(name);
    } else {
        let fine = |char: char| u8::try_from(char).is_ok_and(is_fine);
        out.extend(name.chars().map(|char| if fine(char) { char } else { '_' }));
    }
}

/// Writes text with the entities that XML knows; others become a question mark, as no coordinates hold them.
fn push_text(out: &mut String, text: &str) {
    const KNOWN: [&str; 5] = ["amp", "lt", "gt", "quot", "apos"];
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        push_allowed(out, &rest[..start]);
        let entity = &rest[start + 1..];
        let name = entity.split(';').next().unwrap_or_default();
        let is_entity = name.len() < entity.len() && name.len() < 12;
        let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
        rest = if is_entity { &entity[name.len() + 1..] } else { entity };
        match number.and_then(char::from_u32) {
            _ if !is_entity => out.push_str("&amp;"),
            Some(char) => out.extend(escaped(char).into_iter().flatten()),
            None if KNOWN.contains(&name) => {
                out.push('&');
                out.push_str(name);
                out.push(';');
            }
            None => out.push('?'),
        }
    }
    push_allowed(out, rest);
}

fn push_allowed(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        out.push_str(text);
    } else {
        out.extend(text.chars().filter(|char| is_allowed(*char)));
    }
}

fn is_allowed(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The character as it stands in a text; none if it may not.
fn escaped(char: char) -> Option<impl Iterator<Item = char>> {
    let text = match char {
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        _ => "",
    };
    let plain = text.is_empty().then_some(char);
    is_allowed(char).then(|| text.chars().chain(plain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_in(xml: &str) -> Result<String, XmlError> {
        read(xml, "a", |root| text_of(root, "b").unwrap_or_default())
    }

    #[test]
    fn what_mavens_reader_takes_is_taken() {
        for (xml, expected) in [
            ("<a><b>x</b><Xlint:-unchecked/></a>", "x"),
            ("<a xsi:schemaLocation='>'><b k=\"<\">x<!-- y --></b></a>", "x"),
            ("<!DOCTYPE a [<!ENTITY e \"&e;\">]><a><b>&e;&oslash;&amp;&#65;</b></a>", "??&A"),
            ("<?xml version='1.0' encoding='nonsense'?>\n<a><b><![CDATA[<&]]></b></a>", "<&"),
            ("<a><b> R&D </b></a>", "R&D"),
        ] {
            assert_eq!(text_in(xml).expect(xml), expected);
        }
    }

    #[test]
    fn what_is_not_read_is_passed_over_but_must_be_whole() {
        let is_unread = |within: &[&str], name: &str| within == ["a"] && name == "x";
        let text_in = |xml: &str| {
            read_without(is_unread, xml, "a", |root| {
                (text_of(root, "b").unwrap_or_default(), root.descendants().count())
            })
        };
        let xml = "<a><x k='</x>'><b>no</b><!-- </x> --><x/><x><![CDATA[</x>]]></x>&;</x><b>yes</b><x/></a>";
        assert_eq!(text_in(xml).expect("read"), ("yes".to_owned(), 4));
        assert_eq!(text_in("<a><c><x>1</x></c></a>").expect("read").1, 4, "only below a");
        for crossed in ["<a><x><y></x></y></a>", "<a><x></a></x>"] {
            assert!(matches!(text_in(crossed), Err(XmlError::Crossed { .. })), "{crossed}");
        }
        assert!(matches!(text_in("<a><x><y>"), Err(XmlError::Parse(_))));
        assert!(matches!(text_in(&format!("<a>{}", "<x>".repeat(300))), Err(XmlError::TooDeep)));
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "<a>".repeat(100_000);
        assert!(matches!(text_in(&deep), Err(XmlError::TooDeep)));
        let wide = format!("<a>{}</a>", "<b/>".repeat(500_000));
        assert!(matches!(text_in(&wide), Err(XmlError::Parse(_))));
        assert!(matches!(text_in("<a><b"), Err(XmlError::Unclosed { at: 3 })));
        assert!(matches!(text_in("<c/>"), Err(XmlError::Root { .. })));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "([<>/&;!a\\[\\]\"'# é-]|<a>|</a>|<!--|-->|<!\\[CDATA\\[|\\]\\]>){0,60}") {
            let _ = text_in(&text);
        }
    }
}
