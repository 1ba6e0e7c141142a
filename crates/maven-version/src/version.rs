//! The order of versions, as Maven 3's `ComparableVersion` has it.

use std::{cmp::Ordering, fmt};

/// A version that can be compared. What is equal may be written otherwise: `1`, `1.0` and `1-ga`.
#[derive(Clone)]
pub struct Version {
    text: String,
    items: List,
}

type List = Vec<Item>;

#[derive(Debug, Clone)]
enum Item {
    /// Digits without leading zeros; `0` is empty.
    Number(String),
    Word(String),
    List(List),
}

/// Words that have a place of their own in the order; the empty one is a release.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
/// Longer versions are cut, and lists deeper than this are not nested further.
const MAX_LENGTH: usize = 300;

impl Version {
    /// Any text is a version.
    pub fn parse(text: &str) -> Self {
        let lower: String = text.chars().take(MAX_LENGTH).flat_map(char::to_lowercase).collect();
        Self { text: text.to_owned(), items: parse(&lower) }
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Splits at dots, dashes, and where digits and letters meet; a dash begins a list of what follows.
fn parse(text: &str) -> List {
    let mut stack: Vec<List> = vec![Vec::new()];
    let chars: Vec<char> = text.chars().collect();
    let mut is_digit = false;
    let mut start = 0;
    for (index, &char) in chars.iter().enumerate() {
        let part = || chars[start..index].iter().collect::<String>();
        if char == '.' || char == '-' {
            let item = if index == start {
                Item::Number(String::new())
            } else {
                item(is_digit, &part(), false)
            };
            top(&mut stack).push(item);
            start = index + 1;
            if char == '-' {
                stack.push(Vec::new());
            }
        } else if char.is_ascii_digit() {
            if !is_digit && index > start {
                nest(&mut stack);
                top(&mut stack).push(item(false, &part(), true));
                start = index;
                stack.push(Vec::new());
            }
            is_digit = true;
        } else {
            if is_digit && index > start {
                top(&mut stack).push(item(true, &part(), false));
                start = index;
                stack.push(Vec::new());
            }
            is_digit = false;
        }
    }
    if chars.len() > start {
        let rest: String = chars[start..].iter().collect();
        if !is_digit {
            nest(&mut stack);
        }
        top(&mut stack).push(item(is_digit, &rest, false));
    }
    let mut inner: Option<List> = None;
    while let Some(mut list) = stack.pop() {
        list.extend(inner.take().map(Item::List));
        normalize(&mut list);
        inner = Some(list);
    }
    inner.unwrap_or_default()
}

/// A word begins a list also after a dot: `1.rc1` is `1-rc1`.
fn nest(stack: &mut Vec<List>) {
    if !top(stack).is_empty() {
        stack.push(Vec::new());
    }
}

fn top(stack: &mut [List]) -> &mut List {
    stack.last_mut().expect("the stack begins with one list and only grows")
}

fn item(is_digit: bool, text: &str, before_digit: bool) -> Item {
    if is_digit {
        return Item::Number(text.trim_start_matches('0').to_owned());
    }
    let word = match (text, before_digit) {
        ("a", true) => "alpha",
        ("b", true) => "beta",
        ("m", true) => "milestone",
        ("ga" | "final" | "release", _) => "",
        ("cr", _) => "rc",
        (other, _) => other,
    };
    Item::Word(word.to_owned())
}

/// Drops zeros and empty words at the end, and before a list.
fn normalize(list: &mut List) {
    let mut index = list.len();
    while index > 0 {
        index -= 1;
        let is_list = matches!(list[index], Item::List(_));
        if is_null(&list[index]) {
            list.remove(index);
        } else if !is_list {
            break;
        }
    }
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(digits) => digits.is_empty(),
        Item::Word(word) => word.is_empty(),
        Item::List(list) => list.is_empty(),
    }
}

/// What a word is compared by: its place, then, beyond the known ones, the word.
fn rank(word: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(place) => (place, ""),
        None => (QUALIFIERS.len(), word),
    }
}

fn compare_number(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn compare(one: Option<&Item>, other: Option<&Item>) -> Ordering {
    use Item::{List, Number, Word};
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => compare(other, one).reverse(),
        (Some(Number(digits)), None) => {
            if digits.is_empty() {
                Ordering::Equal
            } else {
                Ordering::Greater
            }
        }
        (Some(Word(word)), None) => rank(word).cmp(&rank("")),
        (Some(List(list)), None) => list
            .iter()
            .map(|item| compare(Some(item), None))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        (Some(Number(one)), Some(Number(other))) => compare_number(one, other),
        // 1.1 is after 1-sp, and 1.1 after 1-1.
        (Some(Number(_)), Some(Word(_) | List(_))) | (Some(List(_)), Some(Word(_))) => {
            Ordering::Greater
        }
        (Some(Word(_) | List(_)), Some(Number(_))) | (Some(Word(_)), Some(List(_))) => {
            Ordering::Less
        }
        (Some(Word(one)), Some(Word(other))) => rank(one).cmp(&rank(other)),
        (Some(List(one)), Some(List(other))) => compare_lists(one, other),
    }
}

fn compare_lists(one: &List, other: &List) -> Ordering {
    (0..one.len().max(other.len()))
        .map(|index| compare(one.get(index), other.get(index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_lists(&self.items, &other.items)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Debug for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Version({})", self.text)
    }
}

#[cfg(test)]
mod tests;
