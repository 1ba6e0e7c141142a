//! The links of an HTML page, as far as indexes of packages write it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The attributes of every `<a>`, by their names in lower case.
pub(crate) fn anchors(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let name_end = rest.find(|one: char| !one.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let is_anchor = rest[..name_end].eq_ignore_ascii_case("a");
        rest = &rest[name_end..];
        if is_anchor {
            let (attributes, after) = attributes(rest);
            found.push(attributes);
            rest = after;
        }
    }
    found
}

/// Up to the `>` that ends the tag, and what follows.
fn attributes(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(|one: char| one.is_whitespace() || one == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (attributes, rest);
        }
        let ends = |one: char| one.is_whitespace() || matches!(one, '=' | '>' | '/');
        // A stray sign is a name of its own, so that this ends.
        let end = rest
            .find(ends)
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(1, char::len_utf8));
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let (text, after) = value_of(after.trim_start());
            value = unescaped(text);
            rest = after;
        }
        attributes.entry(name).or_insert(value);
    }
}

fn value_of(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    let end = text.find(|one: char| one.is_whitespace() || one == '>').unwrap_or(text.len());
    text.split_at(end)
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').and_then(|end| Some((character(&rest[1..end])?, end)));
        if let Some((one, end)) = entity {
            out.push(one);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// The file name behind the last part of a path: a `+` in a version comes as `%2B`.
pub(crate) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_however_they_are_written() {
        let text = "<a\n href=x.whl>1</a><A data-yanked HREF = 'y&#43;&#x2B;&amp;&what;' /><abbr href=no><a href=\"open";
        let found = anchors(text);
        let hrefs: Vec<_> = found.iter().map(|one| one["href"].as_str()).collect();
        assert_eq!(hrefs, ["x.whl", "y++&&what;", "open"]);
        assert!(found[1].contains_key("data-yanked"));
        for broken in ["<", "<a", "<a =", "<a = =>", "<!--", "<a href=", "<a \"ä=ö"] {
            assert!(anchors(broken).len() <= 1, "{broken}");
        }
    }

    #[test]
    fn file_names_are_decoded() {
        assert_eq!(percent_decoded("a-1%2Bcpu-py3.whl"), "a-1+cpu-py3.whl");
        assert_eq!(percent_decoded("a%zz%4"), "a%zz%4");
        assert_eq!(percent_decoded("a%ff"), "a%ff");
    }
}
