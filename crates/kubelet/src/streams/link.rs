//! What both protocols come to: pieces that come in by stream, pieces that go out by stream, and a client that may go.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;

/// What a client sends through one stream; ends with the client's end of it, or with the client.
pub(crate) type Incoming = mpsc::Receiver<Bytes>;

/// Pieces that wait in one direction of a stream before whoever sends has to wait.
pub(super) const WAITING: usize = 8;
/// Longest piece that is passed on at once.
pub(crate) const PIECE: usize = 32 * 1024;
/// How often a client hears from us. Only who writes notices that it is gone when what it sent before has not been taken.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a client may take to go after everything was said.
const LINGER: Duration = Duration::from_secs(5);
/// How long the last words may wait for a client that reads nothing: as long as the real kubelet keeps such a
/// connection, because somebody may look at what came before them page by page.
pub(crate) const IDLE: Duration = Duration::from_hours(4);

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
    /// Something that a client neither answers nor heeds.
    SignOfLife,
    /// Nothing more comes at all.
    Close,
}

/// One stream to the client.
#[derive(Debug)]
pub(crate) struct Outgoing {
    stream: u32,
    messages: mpsc::Sender<Message>,
    /// Nobody else keeps it, so that it also tells whether this stream is still there.
    reset: Arc<CancellationToken>,
}

impl Outgoing {
    pub(super) fn new(stream: u32, messages: mpsc::Sender<Message>) -> Self {
        Self { stream, messages, reset: Arc::default() }
    }

    /// To be cancelled when the client wants nothing more of this stream.
    pub(super) fn reset(&self) -> Weak<CancellationToken> {
        Arc::downgrade(&self.reset)
    }

    /// Cancelled when the client wants nothing more of this stream.
    pub(crate) fn unwanted(&self) -> CancellationToken {
        (*self.reset).clone()
    }

    /// Waits until there is room; false when nobody wants it any more.
    pub(crate) async fn send(&self, piece: Bytes) -> bool {
        tokio::select! {
            biased;
            () = self.reset.cancelled() => false,
            sent = self.messages.send(Message::Data(self.stream, piece)) => sent.is_ok(),
        }
    }

    pub(crate) async fn end(&self) {
        self.say(Message::End(self.stream)).await;
    }

    /// Ends both directions, as of a stream that should not have been opened.
    pub(crate) async fn refuse(&self) {
        self.say(Message::Refuse(self.stream)).await;
    }

    async fn say(&self, end: Message) {
        if !self.reset.is_cancelled() {
            // A client that is gone needs no end.
            let _ = self.messages.send(end).await;
        }
    }
}

/// What is to be written, in its order, with signs of life in between.
pub(super) struct Outbox {
    messages: mpsc::Receiver<Message>,
    due: Interval,
}

impl Outbox {
    pub(super) fn new(messages: mpsc::Receiver<Message>) -> Self {
        let mut due = interval_at(Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { messages, due }
    }

    /// `None` when nobody has anything to say any more.
    pub(super) async fn next(&mut self) -> Option<Message> {
        tokio::select! {
            biased;
            message = self.messages.recv() => message,
            _ = self.due.tick() => Some(Message::SignOfLife),
        }
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
    /// Cancelled when nothing can be read from the client any more, or nothing can be said to it.
    pub(crate) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// Sends what waits, and gives the client time to take it and go: who closes first may lose what is on its way.
    pub(crate) async fn finish(mut self) {
        let said = async {
            // Without a writer the client is gone.
            let _ = self.messages.send(Message::Close).await;
            // The writer ends with that, or the reader before it.
            self.tasks.join_next().await;
        };
        if timeout(IDLE, said).await.is_err() {
            tracing::debug!("a client did not take what was said to it");
            return;
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(LINGER, ended).await.is_err() {
            tracing::debug!("a client did not close its connection");
        }
    }
}
