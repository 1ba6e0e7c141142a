//! A watch as a WebSocket: one text message for each event.

use axum::{
    body::Body,
    extract::{
        FromRequestParts,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
};
use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, future};
use http::{Request, Response};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Answers an upgrade and sends the lines through it.
pub(crate) fn upgrade(
    request: Request<Body>,
    lines: impl Stream<Item = Bytes> + Send + 'static,
    stop: CancellationToken,
) -> Result<Response<Body>, Failure> {
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        // Extraction waits for nothing: it only looks at the headers.
        .now_or_never()
        .ok_or_else(|| Failure::internal("the upgrade did not answer"))?
        .map_err(|rejection| Failure::bad_request(rejection.to_string()))?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        tokio::select! {
            () = send(socket, lines) => {}
            () = stop.cancelled() => {}
        }
    }))
}

async fn send(socket: WebSocket, lines: impl Stream<Item = Bytes> + Send + 'static) {
    let (mut sink, mut source) = socket.split();
    let mut lines = std::pin::pin!(lines);
    // Reading answers pings and the client's goodbye, and sees the client go.
    let mut gone = std::pin::pin!(async { while let Some(Ok(_)) = source.next().await {} });
    loop {
        let next = match future::select(lines.next(), &mut gone).await {
            future::Either::Left((next, _)) => next,
            future::Either::Right(_) => return,
        };
        let message = match next.map(|line| String::from_utf8(line.into())) {
            Some(Ok(text)) => Message::Text(text.into()),
            Some(Err(_)) => continue,
            None => {
                let frame = CloseFrame { code: close_code::NORMAL, reason: "".into() };
                let _ = futures::SinkExt::send(&mut sink, Message::Close(Some(frame))).await;
                return;
            }
        };
        if futures::SinkExt::send(&mut sink, message).await.is_err() {
            return;
        }
    }
}
