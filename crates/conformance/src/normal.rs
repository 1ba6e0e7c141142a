//! Answers without what is different each time: the same thing has the same placeholder all through a case.

use serde_json::{Map, Value};

/// What was replaced in the answers of a case so far.
pub(crate) struct Names<'a> {
    /// What the client wrote itself stays as it is.
    source: &'a str,
    /// Texts that stand in other texts, each with its placeholder; the longest first.
    known: Vec<(String, String)>,
    uids: Vec<String>,
    versions: Vec<String>,
    addresses: Vec<String>,
    hashes: Vec<String>,
    random: Vec<String>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(source: &'a str, namespace: &str) -> Self {
        Self {
            source,
            known: vec![(namespace.to_owned(), "{ns}".to_owned())],
            uids: Vec::new(),
            versions: Vec::new(),
            addresses: Vec::new(),
            hashes: Vec::new(),
            random: Vec::new(),
        }
    }

    /// The answer with its placeholders.
    pub(crate) fn normal(&mut self, mut answer: Value, managers: bool) -> Value {
        self.learn(&answer);
        self.value(&mut answer, managers);
        answer
    }

    /// Finds the names that the server made up, before any of them is replaced.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(map) => {
                let text = |name: &str| map.get(name).and_then(Value::as_str).unwrap_or_default();
                let (prefix, name) = (text("generateName"), text("name"));
                if !prefix.is_empty() && name.len() == prefix.len() + 5 && name.starts_with(prefix)
                {
                    let number = number(&mut self.random, name);
                    self.know(name, &format!("{prefix}<random {number}>"));
                }
                let hash = text("pod-template-hash");
                if !hash.is_empty() && !self.source.contains(hash) {
                    let number = number(&mut self.hashes, hash);
                    self.know(hash, &format!("<hash {number}>"));
                }
                map.values().for_each(|value| self.learn(value));
            }
            _ => {}
        }
    }

    fn know(&mut self, text: &str, placeholder: &str) {
        if !self.known.iter().any(|(known, _)| known == text) {
            self.known.push((text.to_owned(), placeholder.to_owned()));
            self.known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    fn value(&mut self, value: &mut Value, managers: bool) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, managers)),
            Value::Object(map) => self.object(map, managers),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, managers: bool) {
        if !managers {
            map.shift_remove("managedFields");
        }
        // Documentation of fields, and a fingerprint that only says whether two servers store a kind alike.
        if map.contains_key("priority") {
            map.shift_remove("description");
        }
        map.shift_remove("storageVersionHash");
        let is_stored = map.contains_key("uid");
        let pairs: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
        for (key, mut value) in pairs {
            match (key.as_str(), &value) {
                ("resourceVersion", Value::String(text)) if !text.is_empty() => {
                    value = if is_stored {
                        format!("<version {}>", number(&mut self.versions, text)).into()
                    } else {
                        "<version>".into()
                    };
                }
                ("continue" | "token", Value::String(text)) if !text.is_empty() => {
                    value = format!("<{key}>").into();
                }
                ("nodePort" | "healthCheckNodePort", Value::Number(port))
                    if !self.source.contains(&port.to_string()) =>
                {
                    value = "<port>".into();
                }
                // They come in the order of a map of Go, which is another one each time.
                ("resourceRules" | "nonResourceRules", Value::Array(rules)) => {
                    let mut rules: Vec<Value> = rules.clone();
                    rules.sort_by_key(Value::to_string);
                    value = rules.into();
                    self.value(&mut value, managers);
                }
                ("cells", Value::Array(cells)) => {
                    value = cells.iter().map(|cell| self.cell(cell)).collect();
                }
                _ => self.value(&mut value, managers),
            }
            map.insert(self.text(&key), value);
        }
    }

    /// A cell of a table, which may be an age.
    fn cell(&mut self, cell: &Value) -> Value {
        let Some(text) = cell.as_str() else { return cell.clone() };
        let number = text.trim_end_matches(['s', 'm']);
        if number.len() + 1 == text.len() && number.parse::<u32>().is_ok() {
            "<age>".into()
        } else {
            self.text(text).into()
        }
    }

    fn text(&mut self, text: &str) -> String {
        if !self.source.contains(text) {
            if is_time(text) {
                return if text.contains('.') { "<time, exactly>" } else { "<time>" }.to_owned();
            }
            if text.len() == ACCESS.len() + 5 && text.starts_with(ACCESS) {
                return format!("{ACCESS}<random>");
            }
            if text.starts_with("10.96.") && text.parse::<std::net::Ipv4Addr>().is_ok() {
                return format!("<address {}>", number(&mut self.addresses, text));
            }
        }
        let mut text = self.replace_uids(text);
        for (known, placeholder) in &self.known {
            if text.contains(known.as_str()) {
                text = text.replace(known.as_str(), placeholder);
            }
        }
        if text.contains("esource version") || text.contains("esourceVersion") {
            text = without_numbers(&text);
        }
        text
    }

    fn replace_uids(&mut self, text: &str) -> String {
        let mut rest = text;
        let mut replaced = String::new();
        while let Some(at) = find_uid(rest) {
            let uid = &rest[at..at + UID_LENGTH];
            replaced.push_str(&rest[..at]);
            if self.source.contains(uid) {
                replaced.push_str(uid);
            } else {
                replaced.extend(["<uid ", &number(&mut self.uids, uid).to_string(), ">"]);
            }
            rest = &rest[at + UID_LENGTH..];
        }
        replaced + rest
    }
}

/// Which of the texts it is, counted from 1; a new one is the next.
fn number(texts: &mut Vec<String>, text: &str) -> usize {
    let known = texts.iter().position(|known| known == text);
    known.unwrap_or_else(|| {
        texts.push(text.to_owned());
        texts.len() - 1
    }) + 1
}

/// Volumes with the tokens of accounts.
const ACCESS: &str = "kube-api-access-";
const UID_LENGTH: usize = 36;

fn find_uid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let fits = |window: &[u8]| {
        window.iter().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    bytes.windows(UID_LENGTH).position(fits)
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    (20..=35).contains(&bytes.len())
        && bytes.last() == Some(&b'Z')
        && bytes.iter().enumerate().all(|(position, byte)| match position {
            4 | 7 => *byte == b'-',
            10 => *byte == b'T',
            13 | 16 => *byte == b':',
            19 => matches!(byte, b'.' | b'Z'),
            _ => byte.is_ascii_digit() || position + 1 == bytes.len(),
        })
}

fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            plain.push(character);
        } else if !plain.ends_with('#') {
            plain.push('#');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Names;

    #[test]
    fn the_same_thing_has_the_same_placeholder() {
        let mut names = Names::new("", "t-1");
        let answer = json!({
            "uid": "0d6e2a4c-0000-4000-8000-0123456789ab", "resourceVersion": "12", "namespace": "t-1",
            "time": "2026-01-02T03:04:05Z", "micro": "2026-01-02T03:04:05.000001Z", "clusterIP": "10.96.3.4",
            "message": "no 0d6e2a4c-0000-4000-8000-0123456789ab here", "generateName": "a-", "name": "a-x7k2p",
        });
        let expected = json!({
            "uid": "<uid 1>", "resourceVersion": "<version 1>", "namespace": "{ns}",
            "time": "<time>", "micro": "<time, exactly>", "clusterIP": "<address 1>",
            "message": "no <uid 1> here", "generateName": "a-", "name": "a-<random 1>",
        });
        assert_eq!(names.normal(answer, false), expected);
        let next = json!({"metadata": {"uid": "x", "resourceVersion": "13"}, "list": "a-x7k2p"});
        let expected = json!({"metadata": {"uid": "x", "resourceVersion": "<version 2>"}, "list": "a-<random 1>"});
        assert_eq!(names.normal(next, false), expected);
    }

    #[test]
    fn what_the_client_wrote_stays() {
        let mut names = Names::new("10.96.0.9 2026-01-02T03:04:05Z", "t-1");
        let answer = json!({"ip": "10.96.0.9", "at": "2026-01-02T03:04:05Z"});
        assert_eq!(names.normal(answer.clone(), false), answer);
    }

    #[test]
    fn revisions_in_messages_are_left_out() {
        let mut names = Names::new("", "t-1");
        let answer = json!("too old resource version: 17 (302)");
        assert_eq!(names.normal(answer, false), json!("too old resource version: # (#)"));
    }
}
