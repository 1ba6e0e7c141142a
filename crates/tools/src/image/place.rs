use std::{path::PathBuf, str::FromStr};

use flumen_image::LayerBuilder;
use flumen_model::InvalidValue;

use crate::Error;

/// What goes where: `SRC:DST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) source: PathBuf,
    /// An absolute path in the image.
    pub(super) destination: String,
}

impl FromStr for Place {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |allowed: &str| InvalidValue::new("place", text, allowed);
        let (source, rest) = text.rsplit_once(":/").ok_or_else(|| {
            invalid("expected SRC:DST, where DST is an absolute path in the image")
        })?;
        if source.is_empty() {
            return Err(invalid("expected a file or directory before the colon"));
        }
        if rest.split('/').any(|part| part == "..") {
            return Err(invalid("the path in the image may not have .. in it"));
        }
        Ok(Self { source: PathBuf::from(source), destination: format!("/{rest}") })
    }
}

impl Place {
    /// A layer with just this.
    pub(super) fn layer(&self) -> Result<LayerBuilder, Error> {
        let mut builder = LayerBuilder::new();
        builder.add_path(&self.destination, &self.source)?;
        if builder.is_empty() {
            return Err(Error::NothingToAdd { directory: self.source.display().to_string() });
        }
        Ok(builder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_destination_are_told_apart_by_the_last_colon_before_a_slash() {
        for (text, source, destination) in [
            ("job.jar:/opt/job.jar", "job.jar", "/opt/job.jar"),
            ("/a:b/c:/opt/", "/a:b/c", "/opt/"),
            ("conf:/", "conf", "/"),
        ] {
            let place: Place = text.parse().expect(text);
            assert_eq!((place.source, place.destination.as_str()), (source.into(), destination));
        }
        for wrong in ["job.jar", "job.jar:opt", ":/opt", "a:/opt/../etc", "a:/..", ""] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
