use std::time::Duration;

use bytes::Bytes;
use flumen_k8s::{Cluster, PodPort};
use flumen_model::{Digest, OperationId};
use flumen_project::{Failure, HAND_OVER_PORT, PATH_HEADER, SHA256_HEADER};
use flumen_store::BuiltArtifact;
use futures::StreamExt;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

use super::Request;
use crate::{Control, Error, artifacts::check_jar};

/// How long the pod may take to begin with its answer, and with each piece of it.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Takes the jar that the pod hands over among the artifacts; none while it does not do so yet.
pub(super) async fn take(
    control: &Control,
    (cluster, id): (&Cluster, OperationId),
    request: &Request,
    commit: String,
) -> Result<Option<BuiltArtifact>, Error> {
    let pod = flumen_project::name(id);
    let from = PodPort { namespace: request.namespace.clone(), pod, port: HAND_OVER_PORT };
    let address = flumen_project::address(id);
    let Some(answer) = cluster.read_from_pod(&from, &address, ANSWER_WITHIN).await? else {
        return Ok(None);
    };
    let (head, body) = answer.into_parts();
    let text = |name: &str| header(&head.headers, name);
    let (expected, path) = (text(SHA256_HEADER), text(PATH_HEADER));
    let limit = control.settings().artifact_limit;
    let too_large = |size| request.failed(Failure::TooLarge { size, limit });
    let size: u64 = text("content-length").parse().unwrap_or_default();
    if size > limit {
        return Err(too_large(size));
    }
    let (part, digest, size) = write(control, body, &too_large).await?;
    if digest.hex() != expected {
        let actual = digest.hex().to_owned();
        return Err(request.failed(Failure::OtherBytes { expected, actual }));
    }
    check_jar(&part, &path).await?;
    if control.artifact(&digest).await?.is_none() {
        control.settle(&part, &digest, size).await?;
    }
    Ok(Some(BuiltArtifact { commit, digest, size, path }))
}

/// Whether what went wrong on the way may go right.
pub(super) fn is_worth_another(error: &Error) -> bool {
    match error {
        Error::Cluster(error) => error.kind().is_transient(),
        Error::Build { source, .. } => matches!(**source, Failure::OtherBytes { .. }),
        Error::File { .. } | Error::Underway { .. } => true,
        _ => false,
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Writes what comes beside the artifacts, as far as it may be one.
async fn write(
    control: &Control,
    mut body: impl StreamExt<Item = Result<Bytes, flumen_k8s::Error>> + Unpin,
    too_large: &impl Fn(u64) -> Error,
) -> Result<(TempPath, Digest, u64), Error> {
    let directory = control.artifacts_directory();
    let part = tempfile::Builder::new().suffix(".part").tempfile_in(&directory);
    let part = part.map_err(Error::file("create a file in", &directory))?.into_temp_path();
    let mut file = tokio::fs::File::create(&part).await.map_err(Error::file("create", &*part))?;
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    let broken = || Error::Underway {
        message: format!("the pod sent nothing for {} s", ANSWER_WITHIN.as_secs()),
    };
    while let Some(piece) =
        tokio::time::timeout(ANSWER_WITHIN, body.next()).await.map_err(|_elapsed| broken())?
    {
        let piece = piece?;
        size += piece.len() as u64;
        if size > control.settings().artifact_limit {
            return Err(too_large(size));
        }
        hash.update(&piece);
        file.write_all(&piece).await.map_err(Error::file("write", &*part))?;
    }
    file.flush().await.map_err(Error::file("write", &*part))?;
    file.sync_all().await.map_err(Error::file("write", &*part))?;
    Ok((part, Digest::from_sha256(&hash.finalize().into()), size))
}
