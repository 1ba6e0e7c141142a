//! What a request can fail of, and the one place that turns it into an answer.

use std::error::Error as _;

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flumen_api_types::Problem;
use flumen_model::{InvalidValue, Kind};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Control(#[from] flumen_control::Error),
    #[error("the request carries no valid API token")]
    Unauthenticated,
    #[error("the address {path:?} does not exist")]
    NoRoute { path: String },
    #[error("{method} is not possible at {path:?}")]
    Method { method: String, path: String },
    #[error("{0}")]
    Value(#[from] InvalidValue),
    #[error("the body of the request is not valid")]
    Body(#[from] JsonRejection),
    #[error("the query of the request is not valid")]
    Query(#[from] QueryRejection),
    #[error("the address of the request is not valid")]
    Path(#[from] PathRejection),
    #[error("the header {name} is not valid: {allowed}")]
    Header { name: &'static str, allowed: &'static str },
    #[error("the address names the {what} {address:?} and the body {body:?}")]
    Mismatch { what: &'static str, address: String, body: String },
    #[error("{what} is larger than {limit} bytes, the most that is taken")]
    TooLarge { what: &'static str, limit: u64 },
    #[error("there is no artifact {digest}")]
    NoArtifact { digest: String },
    #[error("the artifact has {size} bytes, and the part that is asked for is beyond them")]
    Range { size: u64 },
    #[error("the artifact cannot be read")]
    ReadArtifact(#[source] std::io::Error),
    #[error("there is no Flink version {version} in the environment {environment}")]
    NoVersion { version: String, environment: String },
    #[error("the request handler failed")]
    Panicked,
}

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Control(error) => error.kind(),
            Self::Unauthenticated => Kind::Denied,
            Self::NoRoute { .. } | Self::NoArtifact { .. } | Self::NoVersion { .. } => {
                Kind::NotFound
            }
            Self::ReadArtifact(_) => Kind::Unavailable,
            Self::Method { .. }
            | Self::Value(_)
            | Self::Body(_)
            | Self::Query(_)
            | Self::Path(_)
            | Self::Header { .. }
            | Self::Mismatch { .. }
            | Self::Range { .. }
            | Self::TooLarge { .. } => Kind::Invalid,
            Self::Panicked => Kind::Bug,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Control(error) => error.code(),
            Self::Unauthenticated => "request.unauthenticated",
            Self::NoRoute { .. } => "request.no_such_address",
            Self::Method { .. } => "request.method",
            Self::Value(_) | Self::Mismatch { .. } => "request.value",
            Self::Body(refusal) if is_too_large(refusal) => "request.too_large",
            Self::Body(_) => "request.body",
            Self::Query(_) => "request.query",
            Self::Path(_) => "request.path",
            Self::Header { .. } => "request.header",
            Self::TooLarge { .. } => "request.too_large",
            Self::NoArtifact { .. } => "artifact.not_found",
            Self::Range { .. } => "request.range",
            Self::ReadArtifact(_) => "server.file",
            Self::NoVersion { .. } => "version.not_found",
            Self::Panicked => "server.bug",
        }
    }

    /// The HTTP status. It follows from the kind, but for what HTTP itself has a word of its own.
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Control(flumen_control::Error::Changed { .. }) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge { .. }
            | Self::Control(flumen_control::Error::ArtifactTooLarge { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Body(refusal) if is_too_large(refusal) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Control(error) if error.is_database_full() => StatusCode::INSUFFICIENT_STORAGE,
            _ => status_for(self.kind()),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unauthenticated => {
                "Send the header `Authorization: Bearer TOKEN`; the first token is the file `token` in the server's data directory."
            }
            Self::NoRoute { .. } | Self::Method { .. } => {
                "All addresses stand in /api/v1/openapi.json."
            }
            Self::NoVersion { .. } => {
                "`flumen version list` shows those that there are; `flumen version add` adds one."
            }
            Self::Control(error) => return error.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The texts of what lies behind it, the nearest cause first.
    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes
    }

    fn problem(&self) -> Problem {
        let (kind, status) = (self.kind(), self.status());
        // What a fault of Flumen says is for its log: it may hold anything.
        let is_told = kind != Kind::Bug;
        Problem {
            type_uri: format!("urn:flumen:error:{}", self.code()),
            title: title(kind).to_owned(),
            status: status.as_u16(),
            code: self.code().to_owned(),
            kind,
            detail: is_told.then(|| self.to_string()),
            causes: if is_told { self.causes() } else { Vec::new() },
            hint: self.hint(),
            request_id: None,
        }
    }
}

fn is_too_large(refusal: &JsonRejection) -> bool {
    refusal.status() == StatusCode::PAYLOAD_TOO_LARGE
}

/// The HTTP status of a kind of failure.
const fn status_for(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "The request is not valid",
        Kind::NotFound => "It does not exist",
        Kind::Conflict => "It conflicts with what is there",
        Kind::Denied => "It is not allowed",
        Kind::Unavailable => "Something needed is not available now",
        Kind::Timeout => "Something needed did not answer in time",
        Kind::Bug => "Flumen failed",
    }
}

/// What an answer carries to the layer that completes and logs it.
#[derive(Clone)]
pub(crate) struct Failed {
    pub(crate) problem: Problem,
    pub(crate) chain: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut chain = self.to_string();
        for cause in self.causes() {
            chain.push_str(": ");
            chain.push_str(&cause);
        }
        let problem = self.problem();
        let mut response = problem_response(&problem);
        if matches!(self, Self::Unauthenticated) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Failed { problem, chain });
        response
    }
}

/// A problem as an answer.
pub(crate) fn problem_response(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, content_type)], Json(problem)).into_response()
}
