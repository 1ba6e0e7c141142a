//! One file on its way to the server, which goes on where it broke off.

use std::{path::Path, time::Duration};

use flumen_api_types::{Artifact, ArtifactQuery};
use futures::TryStreamExt as _;
use reqwest::{Body, Method, StatusCode, header};
use tokio::io::AsyncSeekExt as _;
use tokio_util::io::ReaderStream;

use super::BUFFER;
use crate::{Error, client::Client, printer::Progress};

/// As the server knows it: the next byte of an upload.
const UPLOAD_OFFSET: &str = "upload-offset";
/// How often nothing more arrives until the upload is given up.
const ATTEMPTS: u32 = 6;
/// The wait after the first connection that broke; each further one is twice as long. The server may not have noticed yet.
const PAUSE: Duration = Duration::from_millis(500);

/// What the server has of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All of it.
    Whole,
    /// So many of its first bytes.
    Part(u64),
}

/// Asks the server what it has.
pub(super) async fn standing(client: &Client, artifact: &Artifact) -> Result<Standing, Error> {
    let action = format!("ask whether the server has {}", artifact.name);
    let call = client.call(Method::HEAD, action, &["artifacts", artifact.digest.as_str()]);
    let (status, headers) = call.head().await?;
    if status != StatusCode::NOT_FOUND {
        return Ok(Standing::Whole);
    }
    let offset = headers.get(UPLOAD_OFFSET).and_then(|offset| offset.to_str().ok()?.parse().ok());
    Ok(Standing::Part(offset.filter(|offset| *offset <= artifact.size).unwrap_or(0)))
}

/// Sends what the server lacks, and returns how many bytes it had before; nothing where it lacks nothing. `unreadable` says
/// of the file that it cannot be read.
pub(super) async fn send(
    client: &Client,
    artifact: &Artifact,
    path: &Path,
    progress: &Progress,
    unreadable: impl Fn(std::io::Error) -> Error,
) -> Result<Option<u64>, Error> {
    let Standing::Part(before) = standing(client, artifact).await? else { return Ok(None) };
    progress.say(format!("uploading {}", artifact.name));
    progress.measure(artifact.size);
    let mut offset = before;
    let mut patience = Patience { furthest: before, failures: 0 };
    loop {
        let file = open(path, offset).await.map_err(&unreadable)?;
        progress.counter().set_position(offset);
        let error = match send_rest(client, artifact, (file, offset), progress).await {
            Ok(()) => return Ok(Some(before)),
            Err(error) => error,
        };
        match &error {
            // What is there is of other content, or somebody else is sending it.
            Error::Refused { problem, .. } if offset > 0 && is_other_part(&problem.code) => {
                offset = 0;
            }
            Error::Broken { .. } => match after_break(client, artifact, &mut patience).await {
                Some(Standing::Whole) => return Ok(Some(before)),
                Some(Standing::Part(length)) => offset = length,
                None => return Err(Error::Upload { source: Box::new(error) }),
            },
            _ => return Err(error),
        }
    }
}

fn is_other_part(code: &str) -> bool {
    code == "artifact.digest" || code == "artifact.offset"
}

/// How long an upload is tried.
struct Patience {
    /// How much the server had at most.
    furthest: u64,
    /// How many connections broke since then.
    failures: u32,
}

/// What the server has after a connection broke, as soon as it answers; none if it does not, or gets nothing more.
async fn after_break(
    client: &Client,
    artifact: &Artifact,
    patience: &mut Patience,
) -> Option<Standing> {
    loop {
        patience.failures += 1;
        if patience.failures >= ATTEMPTS {
            return None;
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(patience.failures - 1)).await;
        let Ok(standing) = standing(client, artifact).await else { continue };
        if let Standing::Part(length) = standing
            && length > patience.furthest
        {
            *patience = Patience { furthest: length, failures: 0 };
        }
        return Some(standing);
    }
}

async fn open(path: &Path, offset: u64) -> std::io::Result<tokio::fs::File> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    Ok(file)
}

async fn send_rest(
    client: &Client,
    artifact: &Artifact,
    (file, offset): (tokio::fs::File, u64),
    progress: &Progress,
) -> Result<(), Error> {
    let counter = progress.counter();
    let chunks = ReaderStream::with_capacity(file, BUFFER)
        .inspect_ok(move |chunk| counter.inc(chunk.len() as u64));
    let method = if offset == 0 { Method::PUT } else { Method::PATCH };
    let action = format!("upload {}", artifact.name);
    let mut call = client.call(method, action, &["artifacts", artifact.digest.as_str()]);
    if offset > 0 {
        call = call
            .header(header::CONTENT_TYPE.as_str(), "application/partial-upload")
            .header(UPLOAD_OFFSET, &offset.to_string());
    }
    let query = ArtifactQuery { name: Some(artifact.name.clone()) };
    let body = Body::wrap_stream(chunks);
    call.query(&query).body(body, artifact.size - offset).send().await.map(drop)
}
