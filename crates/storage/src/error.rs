use std::{io, path::PathBuf};

use flumen_model::Kind;
use object_store::client::{HttpError, HttpErrorKind};

use crate::bucket::innermost;

/// Why a storage did not do what was asked. Keys and signatures are in no text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No request can be made.
    #[error("requests to {server} cannot be made: {problem}")]
    Connect {
        /// The server's address.
        server: String,
        /// What is wrong.
        problem: String,
    },
    /// A request failed.
    #[error("could not {what} {place}")]
    Call {
        /// What was tried, as a verb.
        what: &'static str,
        /// The object.
        place: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// The name of an object cannot be one.
    #[error("could not {what} {place}: it has an empty part, or one that is . or ..")]
    Key {
        /// What was tried, as a verb.
        what: &'static str,
        /// The object.
        place: String,
    },
    /// An object is larger than it may be.
    #[error("{place} has {size} bytes, and {limit} is the most that is taken")]
    TooLarge {
        /// The object.
        place: String,
        /// Its size.
        size: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// An object ended before its end.
    #[error("{place} has {size} bytes, and the answer ended after {written}")]
    Short {
        /// The object.
        place: String,
        /// Its size.
        size: u64,
        /// What came.
        written: u64,
    },
    /// A file of this machine that is to be sent.
    #[error("could not read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of this machine.
    #[error("could not write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No connection to the server.
    #[error("{server} cannot be reached: {problem}")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        problem: String,
    },
    /// The server was silent for too long.
    #[error("{server} does not answer in time")]
    TimedOut {
        /// Its address.
        server: String,
    },
    /// The bucket is not there.
    #[error("{server} has no such bucket")]
    NoBucket {
        /// The server's address.
        server: String,
    },
    /// The object is not there.
    #[error("it is not there")]
    NoObject,
    /// The access key is not known.
    #[error("{server} does not know the access key")]
    UnknownKey {
        /// The server's address.
        server: String,
    },
    /// The secret key is not that of the access key.
    #[error("the secret key is not that of the access key")]
    WrongSecret,
    /// The clocks of the server and of this machine differ by too much.
    #[error("the clock of {server} and that of this machine differ by too much")]
    ClockSkew {
        /// The server's address.
        server: String,
    },
    /// The bucket is in another region.
    #[error("the bucket is in another region than requests are signed for")]
    OtherRegion,
    /// The keys are good, and may not do that.
    #[error("the keys may not do that")]
    Denied,
    /// Anything else, by the words that S3 has for it.
    #[error("{server} answered {answer}")]
    Answer {
        /// The server's address.
        server: String,
        /// Status and code of its answer.
        answer: String,
        /// Whether the fault is on its side.
        is_transient: bool,
    },
    /// The answer is none of S3.
    #[error("{server} does not answer as S3 does: {problem}")]
    NotS3 {
        /// The server's address.
        server: String,
        /// What is odd.
        problem: String,
    },
}

impl Error {
    pub(crate) fn call(
        what: &'static str,
        place: String,
        server: &str,
        error: &object_store::Error,
    ) -> Self {
        Self::Call { what, place, cause: cause(server, error) }
    }

    pub(crate) const fn is_missing_object(&self) -> bool {
        matches!(self, Self::Call { cause: Cause::NoObject, .. })
    }

    /// What sort of failure this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. } | Self::Short { .. } | Self::Read { .. } | Self::Write { .. } => {
                Kind::Unavailable
            }
            Self::Key { .. } | Self::TooLarge { .. } => Kind::Invalid,
            Self::Call { cause, .. } => match cause {
                Cause::Unreachable { .. } => Kind::Unavailable,
                Cause::TimedOut { .. } => Kind::Timeout,
                Cause::NoBucket { .. } | Cause::NoObject => Kind::NotFound,
                Cause::UnknownKey { .. }
                | Cause::WrongSecret
                | Cause::ClockSkew { .. }
                | Cause::Denied => Kind::Denied,
                Cause::OtherRegion | Cause::NotS3 { .. } => Kind::Invalid,
                Cause::Answer { is_transient, .. } => {
                    if *is_transient {
                        Kind::Unavailable
                    } else {
                        Kind::Invalid
                    }
                }
            },
        }
    }

    /// What to do about it, as a whole sentence.
    pub const fn hint(&self) -> Option<&'static str> {
        let Self::Call { cause, what, .. } = self else { return None };
        Some(match cause {
            Cause::Unreachable { .. } | Cause::TimedOut { .. } => {
                "Check the endpoint of the storage. If the machine of the server reaches it by another address, say so with `serverEndpoint`; if it cannot reach it at all, with `readable: false`."
            }
            Cause::NoBucket { .. } => {
                "Make the bucket, or correct `place`; with an endpoint of one's own, the bucket often stands in the path: `pathStyleAccess: true`."
            }
            Cause::UnknownKey { .. } => "Correct the access key of the storage.",
            Cause::WrongSecret => "Correct the secret key of the storage.",
            Cause::ClockSkew { .. } => "Set the clock of the server's machine right.",
            Cause::OtherRegion => "Set `region` of the storage to that of the bucket.",
            Cause::Denied => match what.as_bytes() {
                b"list" => "Allow the keys s3:ListBucket on the bucket.",
                b"write" => "Allow the keys s3:PutObject below the prefix.",
                b"delete" => "Allow the keys s3:DeleteObject below the prefix.",
                _ => "Allow the keys s3:GetObject below the prefix.",
            },
            Cause::NotS3 { .. } => {
                "Check that the endpoint is that of the S3 protocol, and not of a console."
            }
            Cause::NoObject | Cause::Answer { .. } => return None,
        })
    }
}

/// What the library's error means. Its texts have the whole answer, which may repeat keys, so only the status and S3's word
/// for the fault are taken from them.
fn cause(server: &str, error: &object_store::Error) -> Cause {
    let server = server.to_owned();
    if let Some(problem) = http_problem(error) {
        return match problem.kind() {
            HttpErrorKind::Timeout => Cause::TimedOut { server },
            _ => Cause::Unreachable { server, problem: innermost(problem) },
        };
    }
    let text = error.to_string();
    let status = status(&text);
    let code = between(&text, "<Code>", "</Code>").or_else(|| between(&text, "(code: ", ")"));
    let code = code.filter(|code| is_word(code));
    match (code, status) {
        (Some("NoSuchBucket"), _) => Cause::NoBucket { server },
        (Some("NoSuchKey"), _) | (None, Some(404)) => Cause::NoObject,
        (Some("InvalidAccessKeyId" | "InvalidClientTokenId"), _) => Cause::UnknownKey { server },
        (Some("SignatureDoesNotMatch"), _) => Cause::WrongSecret,
        (Some("RequestTimeTooSkewed"), _) => Cause::ClockSkew { server },
        (
            Some(
                "AuthorizationHeaderMalformed"
                | "PermanentRedirect"
                | "IllegalLocationConstraintException",
            ),
            _,
        )
        | (None, Some(301 | 307)) => Cause::OtherRegion,
        (Some("AccessDenied" | "AllAccessDisabled"), _) | (None, Some(401 | 403)) => Cause::Denied,
        (Some(code), Some(status)) => Cause::Answer {
            server,
            answer: format!("{status} {code}"),
            is_transient: status >= 500 || status == 429,
        },
        (None, Some(status)) => Cause::Answer {
            server,
            answer: status.to_string(),
            is_transient: status >= 500 || status == 429,
        },
        (Some(code), None) => {
            Cause::Answer { server, answer: code.to_owned(), is_transient: false }
        }
        (None, None) if text.contains("Received redirect without LOCATION") => Cause::OtherRegion,
        (None, None) => Cause::NotS3 { server, problem: innermost(error) },
    }
}

/// What went wrong below HTTP, if that did.
fn http_problem<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e HttpError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(problem) = error.downcast_ref::<HttpError>() {
            return (problem.kind() != HttpErrorKind::Decode).then_some(problem);
        }
        next = error.source();
    }
    None
}

fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

fn is_word(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
