//! Lists and maps inside one text. The legacy way: `a;b` and `k:v,k:v`, elements in single or double
//! quotes where they hold a delimiter. The standard way: a YAML flow collection, and where the text is
//! none, the legacy way.

use std::collections::BTreeMap;

use flumen_model::FlinkMinor;

use crate::{
    ConfigurationFormat, feature, java,
    yaml::{self, Node},
};

const NOT_CLOSED: &str = "quotes are not closed";
const AFTER_QUOTES: &str = "after closing quotes only a delimiter may follow";
const NO_PAIR: &str =
    "each entry of a map is written key:value, and one that holds a ':' in quotes";

/// Reads a list out of a text as Flink does in a configuration of this format.
///
/// # Errors
/// What is allowed, if the text is no list.
pub fn parse_list(text: &str, format: ConfigurationFormat) -> Result<Vec<String>, String> {
    if format == ConfigurationFormat::Standard
        && let Some(Node::Sequence(items)) = yaml::load_value(text)
        && !items.iter().any(Node::is_null)
    {
        return Ok(items.iter().map(yaml::flow_text).collect());
    }
    split(text, ';')
}

/// Reads a map out of a text as Flink does in a configuration of this format.
///
/// # Errors
/// What is allowed, if the text is no map.
pub fn parse_map(
    text: &str,
    format: ConfigurationFormat,
) -> Result<BTreeMap<String, String>, String> {
    if format == ConfigurationFormat::Standard
        && let Some(map) = yaml::load_value(text).as_ref().and_then(full_map)
    {
        return Ok(map);
    }
    let mut map = BTreeMap::new();
    for entry in split(text, ',')? {
        let [key, value] = <[String; 2]>::try_from(split(&entry, ':')?).map_err(|_| NO_PAIR)?;
        if map.insert(key.clone(), value).is_some() {
            return Err(format!("the key {key} is there twice"));
        }
    }
    Ok(map)
}

/// Reads a list of maps out of a text as Flink of this minor does in a configuration of this format.
///
/// # Errors
/// What is allowed, if the text is no list of maps.
pub fn parse_list_of_maps(
    text: &str,
    format: ConfigurationFormat,
    minor: FlinkMinor,
) -> Result<Vec<BTreeMap<String, String>>, String> {
    if format == ConfigurationFormat::Standard
        && let Some(Node::Sequence(items)) = yaml::load_value(text)
        && let Some(maps) = items.iter().map(full_map).collect::<Option<_>>()
    {
        return Ok(maps);
    }
    // Before 2.0 the parts of a list that is no YAML were not read as YAML either.
    let is_yaml = feature::LISTS_OF_MAPS_IN_YAML.is_in(minor);
    let below = if is_yaml { format } else { ConfigurationFormat::Legacy };
    split(text, ';')?.iter().map(|map| parse_map(map, below)).collect()
}

/// The texts of a mapping in which nothing is missing.
fn full_map(node: &Node) -> Option<BTreeMap<String, String>> {
    let Node::Mapping(entries) = node else { return None };
    let is_full = |(key, value): &(Node, Node)| !key.is_null() && !value.is_null();
    entries.iter().all(is_full).then(|| text_map(entries))
}

fn text_map(entries: &[(Node, Node)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| (yaml::flow_text(key), yaml::flow_text(value))).collect()
}

pub(crate) fn render_list(items: &[String], format: ConfigurationFormat) -> String {
    match format {
        ConfigurationFormat::Standard => {
            yaml::render_flow(&Node::Sequence(items.iter().map(|item| Node::text(item)).collect()))
        }
        ConfigurationFormat::Legacy => join(items.iter().map(String::as_str), ";"),
    }
}

pub(crate) fn render_map(map: &BTreeMap<String, String>, format: ConfigurationFormat) -> String {
    match format {
        ConfigurationFormat::Standard => yaml::render_flow(&Node::text_mapping(map)),
        ConfigurationFormat::Legacy => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}:{}", quoted(key, ":", true), quoted(value, ":", true))
                })
                .collect();
            pairs.iter().map(|pair| quoted(pair, ",", false)).collect::<Vec<_>>().join(",")
        }
    }
}

pub(crate) fn render_list_of_maps(
    maps: &[BTreeMap<String, String>],
    format: ConfigurationFormat,
) -> String {
    match format {
        ConfigurationFormat::Standard => {
            yaml::render_flow(&Node::Sequence(maps.iter().map(Node::text_mapping).collect()))
        }
        ConfigurationFormat::Legacy => {
            let maps: Vec<String> = maps.iter().map(|map| render_map(map, format)).collect();
            join(maps.iter().map(String::as_str), ";")
        }
    }
}

/// Flink itself leaves empty elements bare; at either end of a list it would not read them back.
fn join<'a>(items: impl ExactSizeIterator<Item = &'a str>, delimiter: &str) -> String {
    let last = items.len().saturating_sub(1);
    let quote = |(at, item)| quoted(item, delimiter, at == 0 || at == last);
    items.enumerate().map(quote).collect::<Vec<_>>().join(delimiter)
}

fn quoted(text: &str, delimiter: &str, empty_too: bool) -> String {
    let is_lost_bare = java::trim(text) != text
        || text.starts_with(java::is_whitespace)
        || (empty_too && text.is_empty());
    if text.contains(delimiter) || text.contains(['\'', '"']) || is_lost_bare {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

enum Token {
    Text(String),
    Quoted(String),
    Delimiter,
}

fn split(text: &str, delimiter: char) -> Result<Vec<String>, String> {
    let tokens = tokens(text, delimiter)?;
    let mut parts = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next_is_delimiter = tokens.get(at + 1).map(|next| matches!(next, Token::Delimiter));
        match token {
            Token::Quoted(_) if next_is_delimiter == Some(false) => {
                return Err(AFTER_QUOTES.to_owned());
            }
            Token::Text(part) | Token::Quoted(part) => parts.push(part.clone()),
            Token::Delimiter if next_is_delimiter == Some(true) => parts.push(String::new()),
            Token::Delimiter => {}
        }
    }
    Ok(parts)
}

fn tokens(text: &str, delimiter: char) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if first == delimiter {
            tokens.push(Token::Delimiter);
            rest = after;
        } else if first == '\'' || first == '"' {
            let (quoted, after) = in_quotes(after, first).ok_or(NOT_CLOSED)?;
            tokens.push(Token::Quoted(quoted));
            rest = after;
        } else if java::is_whitespace(first) {
            rest = after;
        } else {
            let end = rest.find(delimiter).unwrap_or(rest.len());
            tokens.push(Token::Text(java::trim(&rest[..end]).to_owned()));
            rest = &rest[end..];
        }
    }
    Ok(tokens)
}

/// What stands before the closing quote, and what follows it. A doubled quote stands for itself.
fn in_quotes(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(quote)?;
        inner.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                inner.push(quote);
                rest = more;
            }
            None => return Some((inner, after)),
        }
    }
}

#[cfg(test)]
mod tests;
