//! What both protocols come to: pieces that come in by stream, pieces that go out by stream, and a client that may go.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// What a client sends through one stream; ends with the client's end of it, or with the client.
pub(crate) type Incoming = mpsc::Receiver<Bytes>;

/// Pieces that wait in one direction of a stream before whoever sends has to wait.
pub(super) const WAITING: usize = 8;
/// Longest piece that is passed on at once.
pub(crate) const PIECE: usize = 32 * 1024;
/// How long a client may take to go after everything was said.
const LINGER: Duration = Duration::from_secs(5);

/// What goes to the client.
#[derive(Debug)]
pub(super) enum Message {
    Data(u32, Bytes),
    /// Nothing more comes through this stream.
    End(u32),
    /// Answers to what the client's side of the protocol sent.
    Accept(u32),
    Refuse(u32),
    Pong(u32),
    /// Nothing more comes at all.
    Close,
}

/// One stream to the client.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(super) stream: u32,
    pub(super) messages: mpsc::Sender<Message>,
}

impl Outgoing {
    /// Waits until there is room; false when there is no client any more.
    pub(crate) async fn send(&self, piece: Bytes) -> bool {
        self.messages.send(Message::Data(self.stream, piece)).await.is_ok()
    }

    pub(crate) async fn end(&self) {
        // A client that is gone needs no end.
        let _ = self.messages.send(Message::End(self.stream)).await;
    }
}

/// The connection itself. When it is dropped, so is the connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) gone: CancellationToken,
    /// One that reads and one that writes.
    pub(super) tasks: JoinSet<()>,
}

impl Link {
    /// Cancelled when nothing can be read from the client any more.
    pub(crate) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// Sends what waits, and gives the client time to take it and go: who closes first may lose what is on its way.
    pub(crate) async fn finish(mut self) {
        let _ = self.messages.send(Message::Close).await;
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LINGER, ended).await.is_err() {
            tracing::debug!("a client did not close its connection");
        }
    }
}
