use std::fmt;

use crate::Version;

/// What a dependency says of the version: a wish, or ranges that the version must lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// A wish, which another may override.
    Soft(String),
    /// One of these must hold the version.
    Ranges(Vec<Range>),
}

/// A range of versions, open where it has no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    version: Version,
    is_inside: bool,
}

/// More alternatives than any POM has.
const MAX_RANGES: usize = 100;

/// A text that begins as a range and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the range of versions {text:?} is not understood: expected such as [1.0,2.0) or [1.5]")]
pub struct NoRange {
    text: String,
}

impl Constraint {
    /// Reads `1.0`, `[1.0]`, `[1.0,2.0)`, `(,1.0],[1.2,)`.
    ///
    /// # Errors
    /// If it begins as a range and is none.
    pub fn parse(text: &str) -> Result<Self, NoRange> {
        let text = text.trim();
        if !text.starts_with(['[', '(']) {
            return Ok(Self::Soft(text.to_owned()));
        }
        let wrong = || NoRange { text: text.to_owned() };
        let mut ranges = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([']', ')']).ok_or_else(wrong)?;
            let (one, after) = rest.split_at(end + 1);
            ranges.push(Range::parse(one).ok_or_else(wrong)?);
            let after = after.trim_start();
            rest = after.strip_prefix(',').map_or(after, str::trim_start);
            if ranges.len() > MAX_RANGES || (!rest.is_empty() && !rest.starts_with(['[', '('])) {
                return Err(wrong());
            }
        }
        Ok(Self::Ranges(ranges))
    }

    /// Whether the version is allowed; a wish allows all.
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Self::Soft(_) => true,
            Self::Ranges(ranges) => ranges.iter().any(|range| range.contains(version)),
        }
    }
}

impl Range {
    /// Reads one such as `[1.0,2.0)`.
    fn parse(text: &str) -> Option<Self> {
        let mut inner = text.chars();
        let (open, close) = (inner.next()?, inner.next_back()?);
        let inner = inner.as_str().trim();
        if inner.contains(['[', '(']) {
            return None;
        }
        let bound = |text: &str, is_inside| {
            let text = text.trim();
            (!text.is_empty()).then(|| Bound { version: Version::parse(text), is_inside })
        };
        let Some((lower, upper)) = inner.split_once(',') else {
            let only = bound(inner, true)?;
            let is_closed = open == '[' && close == ']';
            return is_closed.then(|| Self { lower: Some(only.clone()), upper: Some(only) });
        };
        if upper.contains(',') {
            return None;
        }
        let range = Self { lower: bound(lower, open == '['), upper: bound(upper, close == ']') };
        let is_backwards = match (&range.lower, &range.upper) {
            (Some(lower), Some(upper)) => lower.version > upper.version,
            _ => false,
        };
        (!is_backwards).then_some(range)
    }

    /// Whether the version lies in it.
    pub fn contains(&self, version: &Version) -> bool {
        let above = self.lower.as_ref().is_none_or(|bound| {
            *version > bound.version || (bound.is_inside && *version == bound.version)
        });
        let below = self.upper.as_ref().is_none_or(|bound| {
            *version < bound.version || (bound.is_inside && *version == bound.version)
        });
        above && below
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soft(version) => out.write_str(version),
            Self::Ranges(ranges) => {
                for (index, range) in ranges.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(out, "{comma}{range}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_inside = |bound: &Option<Bound>| bound.as_ref().is_some_and(|bound| bound.is_inside);
        let text = |bound: &Option<Bound>| {
            bound.as_ref().map(|bound| bound.version.as_str().to_owned()).unwrap_or_default()
        };
        let open = if is_inside(&self.lower) { '[' } else { '(' };
        let close = if is_inside(&self.upper) { ']' } else { ')' };
        write!(out, "{open}{},{}{close}", text(&self.lower), text(&self.upper))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(range: &str, version: &str) -> bool {
        Constraint::parse(range).expect(range).allows(&Version::parse(version))
    }

    #[test]
    fn the_ranges_of_mavens_documentation() {
        for (range, inside, outside) in [
            ("(,1.0]", ["1.0", "0.9"], ["1.0.1", "2"]),
            ("[1.2,1.3]", ["1.2", "1.3"], ["1.3.1", "1.1"]),
            ("[1.0,2.0)", ["1.0", "1.9.9"], ["2.0", "0.9"]),
            ("[1.5,)", ["1.5", "99"], ["1.4", "1.5-SNAPSHOT"]),
            ("(,1.0],[1.2,)", ["1.0", "1.2"], ["1.1", "1.0.1"]),
            ("(,1.1),(1.1,)", ["1.0", "1.2"], ["1.1", "1.1.0"]),
            ("[1.0]", ["1.0", "1"], ["1.0.1", "0.9"]),
        ] {
            assert!(inside.iter().all(|version| allows(range, version)), "{range}");
            assert!(!outside.iter().any(|version| allows(range, version)), "{range}");
        }
        assert!(allows("1.0", "7"), "a wish is no bound");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["[1.0", "[1.0)", "(1.0]", "[2.0,1.0]", "[1,2,3]", "[1,2]x", "[]", "[[1,2]"] {
            assert!(Constraint::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\](),.0-9a-z -]{0,30}") {
            if let Ok(read) = Constraint::parse(&text) {
                prop_assert!(Constraint::parse(&read.to_string()).is_ok());
            }
        }
    }
}
