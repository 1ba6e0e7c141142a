//! What a client is told beside the answer, in `Warning` headers.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, header};

/// So many characters are told in all; where there are more, each warning is cut to `LONGEST`. As the real server does it.
const ALL: usize = 4096;
const LONGEST: usize = 256;

/// Warnings in the order in which they came up, each once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    texts: Vec<String>,
    characters: usize,
    /// What they come to when each is cut.
    characters_cut: usize,
}

impl Warnings {
    pub(crate) fn add(&self, text: String) {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever comes now would not be told.
        if collected.characters_cut >= ALL || collected.texts.contains(&text) {
            return;
        }
        let characters = text.chars().count();
        collected.characters += characters;
        collected.characters_cut += characters.min(LONGEST);
        collected.texts.push(text);
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = if collected.characters > ALL { LONGEST } else { ALL };
        for text in &collected.texts {
            let text: String = text.chars().take(longest).collect();
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            // A text that cannot stand in a header is left out.
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
                headers.append(header::WARNING, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(texts: impl Iterator<Item = String>) -> Vec<String> {
        let warnings = Warnings::default();
        texts.for_each(|text| warnings.add(text));
        let mut headers = HeaderMap::new();
        warnings.write(&mut headers);
        let values = headers.get_all(header::WARNING).into_iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_few_are_told_whole_and_once() {
        let long = "x".repeat(3000);
        let all = [long.clone(), "a \"b\"".to_owned(), long.clone()];
        let expected = [format!("299 - \"{long}\""), r#"299 - "a \"b\"""#.to_owned()];
        assert_eq!(told(all.into_iter()), expected);
    }

    #[test]
    fn of_many_the_beginnings_are_told_until_it_is_enough() {
        let all = told((0..100_000).map(|one| format!("{one} {}", "x".repeat(1000))));
        assert_eq!(all.len(), ALL / LONGEST);
        assert!(all.iter().all(|one| one.len() == "299 - \"\"".len() + LONGEST), "{all:?}");
    }
}
