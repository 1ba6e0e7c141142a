use flumen_model::Kind;
use http::StatusCode;
use serde::Deserialize;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The JobManager starts, fails over, or has no leader; the same call will work later.
    #[error("{call}: Flink is not ready: {message}")]
    NotReady {
        /// What was asked.
        call: &'static str,
        /// Flink's words, in one line.
        message: String,
    },
    /// The job, trigger, vertex, file, jar or TaskManager that was named does not exist. For a job this
    /// can be temporary right after the JobManager started, before it recovered its jobs.
    #[error("{call}: {message}")]
    NotFound {
        /// What was asked.
        call: &'static str,
        /// Flink's words, in one line.
        message: String,
    },
    /// This JobManager has no such call: another version, or switched off.
    #[error("{call}: this Flink cluster does not offer it ({message})")]
    NotOffered {
        /// What was asked.
        call: &'static str,
        /// Flink's words, in one line.
        message: String,
    },
    /// Flink gave up waiting for a part of itself; whether it happened is unknown.
    #[error("{call}: Flink ran into a time-out: {message}")]
    TimedOut {
        /// What was asked.
        call: &'static str,
        /// Flink's words, in one line.
        message: String,
    },
    /// The job is in a state that does not allow it.
    #[error("{call}: {message}")]
    Conflict {
        /// What was asked.
        call: &'static str,
        /// Flink's words, in one line.
        message: String,
    },
    /// Flink refused the request or failed in carrying it out.
    #[error("{call}: Flink answered {status}: {message}")]
    Refused {
        /// What was asked.
        call: &'static str,
        /// The status of the answer.
        status: StatusCode,
        /// Flink's words, in one line: of a stack trace the innermost cause.
        message: String,
        /// The whole text of the answer, with the stack trace.
        detail: String,
    },
    /// The answer is not what Flink promises for this call.
    #[error("{call}: the answer of Flink is not understood at {field}")]
    Malformed {
        /// What was asked.
        call: &'static str,
        /// Where in the answer, for example `jobs[0].state`; `.` is the whole.
        field: String,
        /// What is wrong there.
        #[source]
        source: serde_json::Error,
    },
    /// The call needs a later Flink version.
    #[error("{call}: {what} exists only since Flink {since}, this is {version}")]
    TooOld {
        /// What was asked.
        call: &'static str,
        /// What the version lacks.
        what: &'static str,
        /// The first minor that has it.
        since: flumen_model::FlinkMinor,
        /// The minor that was named.
        version: flumen_model::FlinkMinor,
    },
}

impl Error {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotReady { .. } => Kind::Unavailable,
            Self::NotFound { .. } => Kind::NotFound,
            Self::NotOffered { .. } | Self::TooOld { .. } => Kind::Invalid,
            Self::TimedOut { .. } => Kind::Timeout,
            Self::Conflict { .. } => Kind::Conflict,
            Self::Malformed { .. } => Kind::Bug,
            Self::Refused { status, detail, .. } => match status.as_u16() {
                401 | 403 => Kind::Denied,
                500.. if !is_users_fault(detail) => Kind::Unavailable,
                _ => Kind::Invalid,
            },
        }
    }

    pub(crate) fn from_answer(call: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let detail = text_of(body);
        let message = summary(&detail);
        let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
        match status.as_u16() {
            502 | 503 => Self::NotReady { call, message },
            // Flink's own words for "no leader yet" come under several numbers.
            _ if says(&["Cannot connect to ResourceManager right now", "RetryException"]) => {
                Self::NotReady { call, message }
            }
            404 | 405
                if detail.starts_with("Unable to load requested file")
                    || detail.starts_with("Not found:")
                    || detail == "Not found." =>
            {
                Self::NotOffered { call, message }
            }
            404 => Self::NotFound { call, message },
            400 | 500
                if says(&[
                    "FlinkJobNotFoundException",
                    "UnknownTaskExecutorException",
                    "does not exist in ",
                ]) || (says(&["Jar file "]) && says(&[" does not exist"])) =>
            {
                Self::NotFound { call, message }
            }
            409 => Self::Conflict { call, message },
            408 | 504 => Self::TimedOut { call, message },
            500 if says(&["Ask timed out", "java.util.concurrent.TimeoutException"]) => {
                Self::TimedOut { call, message }
            }
            _ => Self::Refused { call, status, message, detail },
        }
    }
}

/// Failures of the user's program or of the request that Flink answers with 500.
fn is_users_fault(detail: &str) -> bool {
    ["ProgramInvocationException", "UnsupportedOperationException", "IllegalArgumentException"]
        .iter()
        .any(|class| detail.contains(class))
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<String>,
}

/// The text of an error answer: what Flink says beside the fixed first words, or the body as it is.
fn text_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Ok(ErrorBody { errors }) = serde_json::from_str(&text) else {
        return text.trim().to_owned();
    };
    let said: Vec<_> = errors
        .iter()
        .map(|error| error.trim().trim_start_matches("<Exception on server side:").trim_start())
        .filter(|error| *error != "Internal server error.")
        .collect();
    if said.is_empty() { errors.join(" ") } else { said.join("\n") }
}

/// One line for people out of a Java stack trace: the innermost cause where the text has one, without
/// the names of the classes before it.
fn summary(detail: &str) -> String {
    let cause = crate::exceptions::innermost_cause(detail);
    let message = without_class(cause);
    if message.is_empty() {
        return "no reason given".to_owned();
    }
    message.chars().take(500).collect()
}

/// Drops leading `some.package.SomeException: ` parts.
pub(crate) fn without_class(mut text: &str) -> &str {
    while let Some((class, rest)) = text.split_once(": ") {
        let is_class = class.contains('.')
            && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte));
        if !is_class || rest.trim().is_empty() {
            break;
        }
        text = rest;
    }
    text.trim()
}

/// A field that is not as promised, before it is known which call it was.
#[derive(Debug)]
pub(crate) struct Malformed {
    field: String,
    source: serde_json::Error,
}

impl Malformed {
    pub(crate) fn of(self, call: &'static str) -> Error {
        Error::Malformed { call, field: self.field, source: self.source }
    }
}

impl From<serde_path_to_error::Error<serde_json::Error>> for Malformed {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self { field: error.path().to_string(), source: error.into_inner() }
    }
}
