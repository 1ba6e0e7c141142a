//! Fields that stand twice in a body. Only the last one counts, which its author may not have meant.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The paths of all fields that stand twice in a JSON text; none if it cannot be read.
pub(super) fn in_json(bytes: &[u8]) -> Vec<String> {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // What is wrong with the text is told by whoever reads its values.
    let _ = Walk { path: String::new(), found: &mut found }.deserialize(&mut reader);
    found.paths
}

/// Paths in the order in which they were found, each once.
#[derive(Default)]
struct Found {
    paths: Vec<String>,
    known: HashSet<String>,
}

impl Found {
    fn add(&mut self, path: &str) {
        if self.known.insert(path.to_owned()) {
            self.paths.push(path.to_owned());
        }
    }
}

struct Walk<'a> {
    path: String,
    found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            if !seen.insert(name) {
                self.found.add(&path);
            }
            map.next_value_seed(Walk { path, found: &mut *self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut position = 0;
        loop {
            let path = format!("{}[{position}]", self.path);
            if list.next_element_seed(Walk { path, found: &mut *self.found })?.is_none() {
                return Ok(());
            }
            position += 1;
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::in_json;

    #[test]
    fn each_field_that_stands_twice_is_found_once() {
        let text =
            br#"{"a": {"b": 1, "b": 2, "b": 3}, "c": [{"d": null, "d": "x"}, 1.5], "a": true}"#;
        assert_eq!(in_json(text), ["a.b", "c[0].d", "a"]);
        assert!(in_json(b"{\"a\": {\"b\"").is_empty());
    }
}
