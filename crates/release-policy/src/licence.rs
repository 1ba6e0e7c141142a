use spdx::{Expression, ParseMode};

use crate::names;

/// A licence as a POM or a jar names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Declared {
    /// The name in words, or an SPDX expression; may be empty.
    pub name: String,
    /// Where its text is; may be empty.
    pub url: String,
}

/// The licence of an artifact, as far as something says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licence {
    /// What whoever takes the artifact chooses from; empty if nothing is said.
    pub choices: Vec<Choice>,
}

/// One of the licences that an artifact can be taken under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A valid SPDX expression.
    Spdx(String),
    /// Words that stand for no licence that is known.
    Unrecognised(String),
}

impl Licence {
    /// What these say.
    pub fn declared(all: &[Declared]) -> Self {
        let mut choices: Vec<Choice> = Vec::new();
        for one in all {
            let choice = recognise(one);
            if let Some(choice) = choice.filter(|choice| !choices.contains(choice)) {
                choices.push(choice);
            }
        }
        Self { choices }
    }

    /// What `Bundle-License` of a jar's manifest says: parts with commas between, each an id, a name or an address, with
    /// attributes behind semicolons.
    pub fn of_manifest(text: &str) -> Self {
        let whole = Declared { name: text.trim().to_owned(), url: String::new() };
        if let Some(choice @ Choice::Spdx(_)) = recognise(&whole) {
            return Self { choices: vec![choice] };
        }
        let parts: Vec<Declared> = split(text, ',').into_iter().map(|part| clause(&part)).collect();
        Self::declared(&parts)
    }

    /// The whole as an SPDX expression; none unless every licence is known.
    pub fn spdx(&self) -> Option<String> {
        let mut parts = Vec::with_capacity(self.choices.len());
        for choice in &self.choices {
            let Choice::Spdx(text) = choice else { return None };
            let is_compound = self.choices.len() > 1 && text.contains(" AND ");
            parts.push(if is_compound { format!("({text})") } else { text.clone() });
        }
        (!parts.is_empty()).then(|| parts.join(" OR "))
    }

    /// The words that stand for no licence that is known.
    pub fn unrecognised(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().filter_map(|choice| match choice {
            Choice::Unrecognised(text) => Some(text.as_str()),
            Choice::Spdx(_) => None,
        })
    }
}

fn recognise(declared: &Declared) -> Option<Choice> {
    let (name, url) = (words(&declared.name), words(&declared.url));
    if name.is_empty() && url.is_empty() {
        return None;
    }
    let found = expression(&name)
        .or_else(|| names::by_name(&name).map(str::to_owned))
        .or_else(|| names::by_address(&url).map(str::to_owned))
        // Some write the address for the name.
        .or_else(|| names::by_address(&name).map(str::to_owned));
    Some(match found {
        Some(id) => Choice::Spdx(id),
        None if url.is_empty() || name == url => Choice::Unrecognised(name),
        None if name.is_empty() => Choice::Unrecognised(url),
        None => Choice::Unrecognised(format!("{name} ({url})")),
    })
}

/// A text in one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text if it is an SPDX expression of licences that are on the list and not out of use.
fn expression(text: &str) -> Option<String> {
    let read = Expression::parse_mode(text, ParseMode::STRICT).ok()?;
    let is_current = |one: &spdx::expression::ExpressionReq| {
        one.req.license.id().is_some_and(|id| !id.is_deprecated())
    };
    read.requirements().all(is_current).then(|| read.to_string())
}

/// `name;link=address;description=words`, each perhaps in quotes.
fn clause(text: &str) -> Declared {
    let mut parts = split(text, ';').into_iter();
    let name = unquoted(&parts.next().unwrap_or_default());
    let link = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim() == "link").then(|| unquoted(value))
    });
    let is_address = name.contains("://");
    let url = link.unwrap_or_else(|| if is_address { name.clone() } else { String::new() });
    Declared { name, url }
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches('"').trim().to_owned()
}

/// Splits where no quotes are open.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for char in text.chars() {
        is_quoted ^= char == '"';
        match parts.last_mut() {
            Some(last) if char != at || is_quoted => last.push(char),
            _ => parts.push(String::new()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Licence {
        let declared = pairs
            .iter()
            .map(|(name, url)| Declared { name: (*name).to_owned(), url: (*url).to_owned() });
        Licence::declared(&declared.collect::<Vec<_>>())
    }

    #[test]
    fn several_licences_are_a_choice() {
        let both = of(&[
            ("CDDL + GPLv2 with classpath exception", ""),
            ("Apache License, Version 2.0", "http://www.apache.org/licenses/LICENSE-2.0.txt"),
        ]);
        assert_eq!(
            both.spdx().as_deref(),
            Some("CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0 OR Apache-2.0")
        );
        let compound = of(&[("MIT AND BSD-3-Clause", ""), ("MIT", ""), ("The MIT License", "")]);
        assert_eq!(compound.spdx().as_deref(), Some("(MIT AND BSD-3-Clause) OR MIT"));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for name in ["BSD", "BSD License", "GPL", "Apache License", "Public Domain", "My License"] {
            let found = of(&[(name, "")]);
            assert_eq!(found.choices, [Choice::Unrecognised(name.to_owned())]);
            assert_eq!(found.spdx(), None);
        }
        let mixed = of(&[("MIT", ""), ("Ours", "https://example.com/ours")]);
        assert_eq!(mixed.spdx(), None);
        assert_eq!(mixed.unrecognised().collect::<Vec<_>>(), ["Ours (https://example.com/ours)"]);
        assert_eq!(of(&[]), Licence::default());
        assert_eq!(of(&[("", " ")]), Licence::default());
    }

    #[test]
    fn a_manifest_names_ids_or_addresses() {
        for (text, expected) in [
            ("Apache-2.0", "Apache-2.0"),
            (
                "\"Apache-2.0\";link=\"https://www.apache.org/licenses/LICENSE-2.0.txt\"",
                "Apache-2.0",
            ),
            ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
            (
                "http://www.eclipse.org/legal/epl-v10.html, http://www.eclipse.org/org/documents/edl-v10.php",
                "EPL-1.0 OR BSD-3-Clause",
            ),
            (
                "EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
                "EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
            ),
        ] {
            assert_eq!(Licence::of_manifest(text).spdx().as_deref(), Some(expected), "{text}");
        }
        assert_eq!(Licence::of_manifest("  "), Licence::default());
    }

    proptest! {
        #[test]
        fn what_is_said_is_valid(name in "[ -~]{0,40}", url in "[ -~]{0,40}") {
            let found = of(&[(&name, &url), ("MIT", "")]);
            if let Some(text) = found.spdx() {
                prop_assert!(Expression::parse(&text).is_ok(), "{text}");
            }
            let _ = Licence::of_manifest(&name);
        }
    }
}
