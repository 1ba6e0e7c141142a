//! Artifacts of Scala, whose names end with its version.

use std::{fmt, str::FromStr};

use flumen_maven::Coordinates;

use crate::Error;

/// A binary version of Scala, such as `2.12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scala(String);

impl FromStr for Scala {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_second = text.strip_prefix("2.").is_some_and(|minor| {
            minor.len() == 2 && minor.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_second || text == "3" {
            return Ok(Self(text.to_owned()));
        }
        Err("expected a binary version of Scala, such as 2.12 or 3".to_owned())
    }
}

impl fmt::Display for Scala {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Coordinates whose artifact may have to get the version of Scala.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Whole(Coordinates),
    /// Group, artifact, and the rest.
    WithScala(String, String, String),
}

impl FromStr for Named {
    type Err = flumen_maven::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((group, rest)) = text.split_once("::") else {
            return text.parse().map(Self::Whole);
        };
        let (artifact, rest) = rest.split_once(':').unwrap_or((rest, ""));
        // What is wrong with the rest is said at once.
        format!("{group}:{artifact}:{rest}").parse::<Coordinates>()?;
        Ok(Self::WithScala(group.to_owned(), artifact.to_owned(), rest.to_owned()))
    }
}

impl Named {
    /// The coordinates for this Scala.
    pub(super) fn coordinates(&self, scala: Option<&Scala>) -> Result<Coordinates, Error> {
        match (self, scala) {
            (Self::Whole(coordinates), _) => Ok(coordinates.clone()),
            (Self::WithScala(group, artifact, rest), Some(scala)) => {
                Ok(format!("{group}:{artifact}_{scala}:{rest}").parse()?)
            }
            (Self::WithScala(group, artifact, rest), None) => {
                Err(Error::NoScala { coordinates: format!("{group}::{artifact}:{rest}") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_colons_stand_for_the_version_of_scala() {
        let scala: Scala = "2.12".parse().expect("a version");
        let of = |text: &str, scala| {
            let named: Named = text.parse().expect("coordinates");
            named
                .coordinates(scala)
                .map(|found| found.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(of("g::a:1", Some(&scala)), Ok("g:a_2.12:jar:1".to_owned()));
        assert_eq!(of("g::a:jar:tests:1", Some(&scala)), Ok("g:a_2.12:jar:tests:1".to_owned()));
        assert_eq!(of("g:a:1", Some(&scala)), Ok("g:a:jar:1".to_owned()));
        assert!(of("g::a:1", None).is_err_and(|text| text.contains("g::a:1")));
        for wrong in ["g::a", "::a:1", "g::a:1:2:3:4:5", "g::a b:1"] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
        for wrong in ["2", "2.1", "2.12.18", "3.3", "4", ""] {
            assert!(wrong.parse::<Scala>().is_err(), "{wrong}");
        }
    }
}
