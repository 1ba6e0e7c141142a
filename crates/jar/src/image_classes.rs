//! The classes that an image brings, as much of them as tells whether a job has others of the same name.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{Read, Seek},
};

use crate::{
    Error,
    archive::{Archive, entries},
    names,
};

/// The classes of the jars in the `lib` of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageClasses {
    /// A hash of the name with dots, and the CRC-32 of the bytes, sorted: an image has some 40,000.
    classes: Vec<(u64, u32)>,
}

impl ImageClasses {
    /// Adds what the directory of a jar says of its classes; none of them is read.
    ///
    /// # Errors
    /// [`Kind::Invalid`](flumen_model::Kind::Invalid) if it is no archive or cannot be read.
    pub fn add(&mut self, jar: impl Read + Seek) -> Result<(), Error> {
        let directory = Archive::open(jar)?.directory()?;
        for (name, checksum) in entries(&directory) {
            let name = String::from_utf8_lossy(name);
            if let Some(class) = name.strip_suffix(".class").filter(|_| names::is_class(&name)) {
                self.classes.push((key(&class.replace('/', ".")), checksum));
            }
        }
        self.classes.sort_unstable();
        self.classes.dedup();
        Ok(())
    }

    /// Whether the image has a class of this name, and none of them with these bytes.
    pub(crate) fn has_other(&self, name: &str, checksum: u32) -> bool {
        let key = key(name);
        let first = self.classes.partition_point(|(other, _)| *other < key);
        let mut of_name = self.classes[first..].iter().take_while(|(other, _)| *other == key);
        of_name.next().is_some() && self.classes.binary_search(&(key, checksum)).is_err()
    }
}

fn key(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
