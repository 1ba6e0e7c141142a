//! Watches as WebSockets: the events are its messages.

use anyhow::{Context, Result, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{Run, request, stream::Stream};
use crate::case::Step;

const CLOSE: u8 = 8;

/// Opens the watch of a step as a WebSocket.
pub(super) async fn open(run: &Run<'_>, step: &Step) -> Result<Stream> {
    let path = request::path_of(run, step.parts().1);
    let sign = if path.contains('?') { '&' } else { '?' };
    let request = run
        .client
        .get(format!("{}{path}{sign}watch=1", run.target.url))
        .bearer_auth(&run.target.token)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13")
        .header("origin", run.target.url.as_str());
    let response = request.send().await.context("the request was not answered")?;
    if response.status().as_u16() != 101 {
        let code = response.status().as_u16();
        let body: Value = response.json().await.unwrap_or_default();
        return Ok(Stream::refused(serde_json::json!({"code": code, "body": body})));
    }
    let accepted = response.headers().get("sec-websocket-accept").cloned();
    ensure!(
        accepted.is_some_and(|key| key == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "the server answers another key"
    );
    let mut upgraded = response.upgrade().await.context("the connection was not upgraded")?;
    let (mut sender, receiver) = futures::channel::mpsc::channel(1);
    // It ends when nobody reads its messages any more, at the latest with the program.
    tokio::spawn(async move {
        loop {
            let message = message(&mut upgraded).await;
            let message = match message {
                Ok(Some(message)) => Ok(message),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let failed = message.is_err();
            if sender.send(message).await.is_err() || failed {
                return;
            }
        }
    });
    Ok(Stream::new(receiver.boxed()))
}

/// The next message, with a line's end; `None` when the server closes.
async fn message(socket: &mut (impl AsyncRead + Unpin)) -> Result<Option<Vec<u8>>> {
    loop {
        let (first, second) = (socket.read_u8().await?, socket.read_u8().await?);
        let length = match second & 0x7f {
            126 => u64::from(socket.read_u16().await?),
            127 => socket.read_u64().await?,
            short => u64::from(short),
        };
        let mut content = vec![0; usize::try_from(length)?];
        socket.read_exact(&mut content).await?;
        match first & 0x0f {
            CLOSE => return Ok(None),
            kind if kind < CLOSE => {
                if content.last() != Some(&b'\n') {
                    content.push(b'\n');
                }
                return Ok(Some(content));
            }
            _ => {}
        }
    }
}
