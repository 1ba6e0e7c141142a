//! Which texts need quotes, and which quotes, so that what is written is what Flink's own writer
//! writes.

use std::borrow::Cow;

use super::{Scalar, resolve};

/// How many blanks a nested line gets.
pub(crate) const INDENT: usize = 2;

/// What a text allows, as Flink's YAML writer finds it out in one walk over the characters.
#[expect(clippy::struct_excessive_bools, reason = "four answers to four questions")]
struct Analysis {
    plain_in_block: bool,
    plain_in_flow: bool,
    single_quotes: bool,
    literal: bool,
}

/// A text as a value of a block mapping whose entries are indented by `indent` blanks. May have
/// several lines, which then carry their indentation; there is no line break at the end.
pub(crate) fn render_in_block(text: &str, indent: usize) -> String {
    let analysis = analyse(text);
    let has_lines = has_lines(text);
    if has_lines && analysis.literal && reads_back_as_literal(text) {
        return literal(text, indent + INDENT);
    }
    if !has_lines && analysis.plain_in_block && reads_as_text(text) {
        return text.to_owned();
    }
    quoted(text, analysis.single_quotes && !has_lines)
}

/// A text as a key, which may have only one line.
pub(crate) fn render_key(text: &str) -> String {
    // At the beginning of a file it would be taken for a byte order mark.
    if text.starts_with('\u{feff}') {
        return double_quoted(text);
    }
    let analysis = analyse(text);
    if analysis.plain_in_block && reads_as_text(text) && !has_lines(text) {
        return text.to_owned();
    }
    quoted(text, analysis.single_quotes && !has_lines(text))
}

/// A scalar inside a flow collection.
pub(crate) fn render_in_flow(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => {
            let analysis = analyse(text);
            let has_lines = has_lines(text);
            if analysis.plain_in_flow && !has_lines && reads_as_text(text) {
                return text.clone();
            }
            quoted(text, analysis.single_quotes && !has_lines)
        }
        Scalar::Double(number) if number.is_nan() => ".nan".to_owned(),
        Scalar::Double(number) if number.is_infinite() => {
            if *number > 0.0 {
                ".inf".to_owned()
            } else {
                "-.inf".to_owned()
            }
        }
        other => other.to_java_text(),
    }
}

/// Whether Flink's writer takes the text for one of several lines, which it then writes as a literal
/// block or, where it cannot, in double quotes.
fn has_lines(text: &str) -> bool {
    text.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}'])
}

fn reads_as_text(text: &str) -> bool {
    matches!(resolve(text), Scalar::Text(_)) && !is_environment_variable(text)
}

/// `${NAME}`, `${NAME-default}`, `${NAME:?message}`: Flink's YAML library has a type for these.
fn is_environment_variable(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) else {
        return false;
    };
    let inner = inner.trim();
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let default = rest.strip_prefix(':').unwrap_or(rest);
    let has_default = default.starts_with(['-', '?']) && !default.contains(char::is_whitespace);
    !name.is_empty() && (rest.is_empty() || has_default)
}

/// Flink drops empty lines at the end of its file, and its reader takes the line breaks of YAML 1.1 for
/// empty lines where they begin one: such texts must not stand in a literal block.
fn reads_back_as_literal(text: &str) -> bool {
    let old_break = |line: &str| line.starts_with(['\u{85}', '\u{2028}', '\u{2029}']);
    text != "\n" && !text.ends_with("\n\n") && !text.split('\n').skip(1).any(old_break)
}

fn quoted(text: &str, single: bool) -> String {
    if single { format!("'{}'", text.replace('\'', "''")) } else { double_quoted(text) }
}

fn analyse(text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis {
            plain_in_block: false,
            plain_in_flow: false,
            single_quotes: true,
            literal: false,
        };
    }
    let characters: Vec<char> = text.chars().collect();
    let starts_document = text.starts_with("---") || text.starts_with("...");
    let (mut block_indicator, mut flow_indicator) = (starts_document, starts_document);
    for (at, &character) in characters.iter().enumerate() {
        let blank_before = at == 0 || is_blank(characters[at - 1]);
        let blank_after = characters.get(at + 1).is_none_or(|next| is_blank(*next));
        let (block, flow) = indicator(character, at == 0, blank_before, blank_after);
        block_indicator |= block;
        flow_indicator |= flow;
    }
    let special = characters.iter().any(|character| !is_printable(*character));
    let pairs = || characters.iter().zip(&characters[1..]);
    let space_then_break = pairs().any(|(one, two)| *one == ' ' && is_break(*two));
    let break_then_space = pairs().any(|(one, two)| is_break(*one) && *two == ' ');
    let edge = |character: char| character == ' ' || is_break(character);
    let (first, last) = (characters[0], characters[characters.len() - 1]);
    let plain = !edge(first) && !edge(last) && !break_then_space && !space_then_break && !special;
    let has_breaks = characters.iter().any(|character| is_break(*character));
    Analysis {
        plain_in_block: plain && !block_indicator,
        plain_in_flow: plain && !flow_indicator && !has_breaks,
        single_quotes: !break_then_space && !space_then_break && !special,
        literal: last != ' ' && !space_then_break && !special,
    }
}

/// Whether the character stands for something in a block and in a flow collection.
fn indicator(character: char, first: bool, blank_before: bool, blank_after: bool) -> (bool, bool) {
    if first && "#,[]{}&*!|>'\"%@`".contains(character) {
        return (true, true);
    }
    match character {
        '?' if first => (blank_after, true),
        ':' => (blank_after, true),
        '-' if first && blank_after => (true, true),
        ',' | '?' | '[' | ']' | '{' | '}' => (false, true),
        '#' if blank_before => (true, true),
        _ => (false, false),
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\0' | '\n' | '\r')
}

/// YAML 1.2 has no other line breaks but the carriage return, which is always escaped.
fn is_break(character: char) -> bool {
    character == '\n'
}

/// What may stand in a document without an escape.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

fn literal(text: &str, indent: usize) -> String {
    let starts_blank = text.starts_with(|first| first == ' ' || is_break(first));
    let hint = if starts_blank { INDENT.to_string() } else { String::new() };
    let chomping = if text.ends_with(is_break) { "" } else { "-" };
    let mut out = format!("|{hint}{chomping}");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out
}

fn double_quoted(text: &str) -> String {
    let inner: String = text.chars().map(escaped).collect();
    format!("\"{inner}\"")
}

fn escaped(character: char) -> Cow<'static, str> {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        '\u{feff}' => "\\ufeff",
        printable if is_printable(printable) => return printable.to_string().into(),
        other if u32::from(other) < 0x100 => return format!("\\x{:02x}", u32::from(other)).into(),
        other => return format!("\\u{:04x}", u32::from(other)).into(),
    };
    short.into()
}
