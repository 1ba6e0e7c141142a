//! Logs, as the server sends them.

use std::borrow::Cow;

use futures::StreamExt as _;
use serde::Serialize;

use super::Context;
use crate::{Error, client::Call};

/// A log as one value.
#[derive(Debug, Serialize)]
struct Log<'a> {
    text: Cow<'a, str>,
}

/// Refuses to follow a log that is to be one value.
pub(super) fn check_follow(context: &Context<'_>, follow: bool) -> Result<(), Error> {
    if context.printer.is_json() && follow { Err(Error::FollowAsJson) } else { Ok(()) }
}

/// Prints the log that the call is answered with: as it comes, or for programs as one value.
pub(super) async fn print(
    context: &Context<'_>,
    call: Call<'_>,
    action: &str,
) -> Result<(), Error> {
    let mut chunks = call.send().await?.bytes_stream();
    let mut kept = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|source| Error::Stream { action: action.to_owned(), source })?;
        if context.printer.is_json() {
            kept.extend_from_slice(&chunk);
        } else {
            context.printer.bytes(&chunk)?;
        }
    }
    if context.printer.is_json() {
        return context.printer.json(&Log { text: String::from_utf8_lossy(&kept) });
    }
    Ok(())
}
