//! What is asked of the resolver, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use flumen_model::Digest;
use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::{listing::File, metadata::Requires, requirements::Wanted, target::Target};

/// What is asked.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    pub(crate) wanted: &'a [Wanted],
    pub(crate) target: &'a Target,
    /// What the image has.
    pub(crate) installed: BTreeMap<PackageName, Version>,
}

/// What is known of the index so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The files of each project; none of one that the index does not have.
    pub(crate) listings: BTreeMap<PackageName, Option<Vec<File>>>,
    /// What the best wheel of a version needs.
    pub(crate) requires: BTreeMap<(PackageName, Version), Requires>,
}

/// How far it came.
#[derive(Debug)]
pub(crate) enum Step {
    /// This has to be known first.
    Need(Need),
    /// All that is to be fetched, by project.
    Done(Vec<Pick>),
}

/// What has to be known, all of which can be asked for at once.
#[derive(Debug, Default)]
pub(crate) struct Need {
    /// Projects whose files are not known.
    pub(crate) listings: BTreeSet<PackageName>,
    /// Versions of which it is not known what they need, each with its wheel.
    pub(crate) requires: BTreeMap<(PackageName, Version), File>,
}

/// A wheel that is taken.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    pub(crate) project: PackageName,
    pub(crate) version: Version,
    pub(crate) file: File,
    /// One of these it must have, unless there are none.
    pub(crate) hashes: Vec<Digest>,
}
