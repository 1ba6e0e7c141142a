use std::{fmt, str::FromStr};

/// A moment: a point and how often it has been reached by then. As text `flink.stop:after#1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hit {
    effect: String,
    side: Side,
    /// Counts from 1.
    number: u32,
}

/// Which side of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    After,
}

/// A text that names no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no moment: expected EFFECT:before#N or EFFECT:after#N with N from 1, such as flink.stop:after#1"
)]
pub struct InvalidHit(String);

impl Hit {
    pub(crate) fn new(effect: &str, side: Side, number: u32) -> Self {
        Self { effect: effect.to_owned(), side, number }
    }

    /// The first time that the same point is reached.
    #[must_use]
    pub fn first(&self) -> Self {
        Self { number: 1, ..self.clone() }
    }

    /// The effect, for example `flink.stop`.
    pub fn effect(&self) -> &str {
        &self.effect
    }

    /// Whether the effect has happened, so that its answer can be lost.
    pub fn is_after(&self) -> bool {
        self.side == Side::After
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(out, "{}:{side}#{}", self.effect, self.number)
    }
}

impl FromStr for Hit {
    type Err = InvalidHit;

    fn from_str(text: &str) -> Result<Self, InvalidHit> {
        let parsed = || {
            let (point, number) = text.rsplit_once('#')?;
            let (effect, side) = point.rsplit_once(':')?;
            let side = match side {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return None,
            };
            let number = number.parse().ok().filter(|number| *number > 0)?;
            (!effect.is_empty()).then(|| Self::new(effect, side, number))
        };
        parsed().ok_or_else(|| InvalidHit(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for text in ["flink.stop:before#1", "store.save-status:after#12"] {
            assert_eq!(text.parse::<Hit>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_moment_is_refused() {
        for text in ["", "flink.stop", "flink.stop:after", "a:within#1", "a:after#0", ":after#1"] {
            assert_eq!(text.parse::<Hit>(), Err(InvalidHit(text.to_owned())));
        }
    }
}
