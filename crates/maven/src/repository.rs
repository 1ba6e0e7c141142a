use std::sync::Arc;

use crate::{coordinates::Gav, pom::Pom, xml::XmlError};

/// What a repository says of something.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// It is there.
    Known(T),
    /// No repository has it.
    Absent,
    /// It was not asked yet: resolution goes on without, says what it wants, and is to be asked again.
    Pending,
}

/// What resolution asks for while it runs. It does no IO: who carries it out answers [`Answer::Pending`], fetches what
/// [`Step::Wants`](crate::Step::Wants) lists, and asks for the resolution again.
pub trait Repository {
    /// The POM of these coordinates, or what is wrong with it.
    fn pom(&self, of: &Gav) -> Answer<Result<Arc<Pom>, Arc<XmlError>>>;

    /// The versions of an artifact, in any order.
    fn versions(&self, group: &str, artifact: &str) -> Answer<Arc<Vec<String>>>;
}

/// Something that a repository has not said yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Want {
    /// A POM.
    Pom(Gav),
    /// The versions of an artifact: its group and its name.
    Versions(String, String),
}
