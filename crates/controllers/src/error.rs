//! What can go wrong in a round of a controller. A failed round is logged and repeated; it never ends a loop.

use std::fmt;

/// A round of a controller failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request to the API server failed.
    #[error("could not {verb} {object}")]
    Request {
        /// What was asked.
        verb: Verb,
        /// Kind, namespace and name of the object.
        object: String,
        /// Why it failed.
        #[source]
        source: Box<kube::Error>,
    },
    /// The kinds of the API server could not be listed.
    #[error("could not list the kinds of objects that the API server has")]
    ListKinds(#[source] Box<kube::Error>),
    /// A mistake in the controller itself.
    #[error(
        "the controller failed in a way that it should not; the panic message above says where"
    )]
    Panic,
    /// A stored object lacks a part that the API server should have insisted on.
    #[error("{object} has no {part}")]
    Incomplete {
        /// Kind, namespace and name of the object.
        object: String,
        /// The missing part.
        part: &'static str,
    },
}

/// What was asked of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Verb {
    Read,
    Create,
    Change,
    Delete,
    Bind,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Bind => "bind",
        })
    }
}

impl Error {
    pub(crate) fn request(verb: Verb, object: impl Into<String>, source: kube::Error) -> Self {
        Self::Request { verb, object: object.into(), source: Box::new(source) }
    }

    /// The HTTP status with which the API server refused, if it answered at all.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Request { source, .. } | Self::ListKinds(source) => match source.as_ref() {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Incomplete { .. } | Self::Panic => None,
        }
    }

    /// The API server's own words, if it answered.
    pub(crate) fn server_message(&self) -> Option<&str> {
        match self {
            Self::Request { source, .. } | Self::ListKinds(source) => match source.as_ref() {
                kube::Error::Api(status) => Some(&status.message),
                _ => None,
            },
            Self::Incomplete { .. } | Self::Panic => None,
        }
    }

    /// The object is not there (any more).
    pub(crate) fn is_gone(&self) -> bool {
        self.status() == Some(404)
    }

    /// Somebody changed the object, or it is another one of the same name.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }
}
