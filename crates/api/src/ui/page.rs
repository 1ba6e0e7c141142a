use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// Why the browser gets a sentence of ours and not Flink's UI.
pub(super) enum Refusal {
    UsedCode,
    NoSession,
    ReadOnly,
    TooLarge,
    Unreachable(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::UsedCode => (
                StatusCode::NOT_FOUND,
                "This link was used already or is too old. Ask for another one with: flumen job ui NAME".to_owned(),
            ),
            Self::NoSession => (
                StatusCode::UNAUTHORIZED,
                "This browser has not opened a job here, or too long ago. Ask for a link with: flumen job ui NAME"
                    .to_owned(),
            ),
            Self::ReadOnly => (
                StatusCode::FORBIDDEN,
                "This view only looks. Operate the job with: flumen job --help".to_owned(),
            ),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.".to_owned()),
            Self::Unreachable(why) => {
                (StatusCode::BAD_GATEWAY, format!("The JobManager does not answer: {why}."))
            }
        };
        (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n"))
            .into_response()
    }
}

/// A page that goes to the UI at once.
pub(super) fn lead_on() -> Html<&'static str> {
    Html(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Flink</title>
<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Open Flink's web UI</a></p></html>"#,
    )
}
