//! A connection with its streams: one task that reads, one that writes.

use std::{collections::HashMap, sync::Weak};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    frame::{self, Control, Error, HEAD, Head},
    headers::{Headers, Reader, Writer},
};
use crate::{
    error::chain,
    streams::link::{Incoming, Link, Message, Outbox, Outgoing, PIECE, WAITING},
};

/// Most streams that a client may have open at once: two for each forwarded connection.
const MOST_STREAMS: usize = 1024;
/// The number of a ping that no client has sent, though clients send odd ones: it is told to overlook such an answer. A
/// ping of ours it would have to answer, and one whose own writing is held up would read nothing before it had.
const SIGN_OF_LIFE: u32 = u32::MAX;

/// A connection on which a client opens streams.
pub(crate) struct Session {
    pub(crate) link: Link,
    streams: mpsc::Receiver<Stream>,
}

/// A stream that a client has opened.
pub(crate) struct Stream {
    headers: Headers,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
}

impl Stream {
    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

impl Session {
    pub(crate) fn open(connection: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (source, sink) = tokio::io::split(connection);
        let (messages, receiver) = mpsc::channel(WAITING);
        let (opened, streams) = mpsc::channel(WAITING);
        let gone = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(write(sink, Outbox::new(receiver), gone.clone()));
        let reading = Reading {
            source,
            headers: Reader::new(),
            opened,
            // Held weakly, so that the writer ends when nobody else has anything to say.
            messages: messages.downgrade(),
            known: HashMap::new(),
            newest: 0,
        };
        let guard = gone.clone().drop_guard();
        tasks.spawn(async move {
            let _guard = guard;
            if let Err(error) = reading.run().await {
                tracing::debug!(error = chain(&error), "a client's connection ended");
            }
        });
        Self { link: Link { messages, gone, tasks }, streams }
    }

    /// The next stream; `None` when the client is gone.
    pub(crate) async fn accept(&mut self) -> Option<Stream> {
        self.streams.recv().await
    }
}

/// A stream of which at least one direction is still in use.
struct Known {
    /// Until the client ends it.
    incoming: Option<mpsc::Sender<Bytes>>,
    /// Gone with our side of the stream.
    reset: Weak<CancellationToken>,
}

impl Known {
    fn is_over(&self) -> bool {
        let deaf = self.incoming.as_ref().is_none_or(mpsc::Sender::is_closed);
        deaf && self.reset.strong_count() == 0
    }
}

struct Reading<R> {
    source: R,
    headers: Reader,
    opened: mpsc::Sender<Stream>,
    messages: mpsc::WeakSender<Message>,
    known: HashMap<u32, Known>,
    newest: u32,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    async fn run(mut self) -> Result<(), Error> {
        loop {
            let mut head = [0; HEAD];
            match self.source.read_exact(&mut head).await {
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                other => other?,
            };
            match Head::parse(head)? {
                Head::Data { stream, last, length } => {
                    self.pass_on(stream, length).await?;
                    if last && let Some(known) = self.known.get_mut(&stream) {
                        known.incoming = None;
                    }
                }
                Head::Control { kind, last, length } => {
                    let mut bytes = vec![0; length];
                    self.source.read_exact(&mut bytes).await?;
                    self.obey(Control::parse(kind, last, &bytes)?).await?;
                }
            }
        }
    }

    /// In pieces, so that nobody can make us keep 16 MiB.
    async fn pass_on(&mut self, stream: u32, mut length: usize) -> Result<(), Error> {
        while length > 0 {
            let mut piece = vec![0; length.min(PIECE)];
            self.source.read_exact(&mut piece).await?;
            length -= piece.len();
            // Data of a stream that ended, or that nobody reads any more, is lost.
            if let Some(Known { incoming: Some(sender), .. }) = self.known.get(&stream) {
                let _ = sender.send(piece.into()).await;
            }
        }
        Ok(())
    }

    async fn obey(&mut self, control: Control<'_>) -> Result<(), Error> {
        match control {
            Control::Open { stream, last, block } => {
                let headers = self.headers.read(block)?;
                self.open(stream, last, headers).await?;
            }
            Control::Headers(block) => {
                self.headers.read(block)?;
            }
            Control::Reset(stream) => {
                let known = self.known.remove(&stream);
                if let Some(reset) = known.and_then(|known| known.reset.upgrade()) {
                    reset.cancel();
                }
            }
            // Even ones could only be answers, and we ask nothing.
            Control::Ping(id) if !id.is_multiple_of(2) => self.say(Message::Pong(id)).await,
            Control::Ping(_) | Control::Skipped => {}
        }
        Ok(())
    }

    async fn open(&mut self, stream: u32, last: bool, headers: Headers) -> Result<(), Error> {
        // Streams of clients have odd numbers that grow.
        if stream.is_multiple_of(2) || stream <= self.newest {
            return Err(Error::Stream(stream));
        }
        self.newest = stream;
        let (sender, incoming) = mpsc::channel(WAITING);
        let Some(messages) = self.messages.upgrade() else { return Ok(()) };
        self.known.retain(|_, known| !known.is_over());
        if self.known.len() >= MOST_STREAMS {
            self.say(Message::Refuse(stream)).await;
            return Ok(());
        }
        self.say(Message::Accept(stream)).await;
        let outgoing = Outgoing::new(stream, messages);
        let known = Known { incoming: (!last).then_some(sender), reset: outgoing.reset() };
        self.known.insert(stream, known);
        // Nobody waits for streams any more when the session is over.
        let _ = self.opened.send(Stream { headers, incoming, outgoing }).await;
        Ok(())
    }

    async fn say(&mut self, message: Message) {
        if let Some(messages) = self.messages.upgrade() {
            // Without a writer the connection ends soon.
            let _ = messages.send(message).await;
        }
    }
}

async fn write(mut sink: impl AsyncWrite + Unpin, mut outbox: Outbox, gone: CancellationToken) {
    let mut headers = Writer::new();
    let mut newest = 0;
    while let Some(message) = outbox.next().await {
        let mut close = false;
        let bytes = match message {
            Message::Data(stream, piece) => frame::data(stream, false, &piece),
            Message::End(stream) => frame::data(stream, true, &[]),
            Message::Accept(stream) => {
                newest = stream;
                frame::reply(stream, &headers.write(&[]))
            }
            Message::Refuse(stream) => frame::refuse(stream),
            Message::Pong(id) => frame::ping(id),
            Message::SignOfLife => frame::ping(SIGN_OF_LIFE),
            Message::Close => {
                close = true;
                frame::go_away(newest)
            }
        };
        let written = async {
            sink.write_all(&bytes).await?;
            if close { sink.shutdown().await } else { sink.flush().await }
        };
        let written = written.await;
        if close {
            return;
        }
        if written.is_err() {
            gone.cancel();
            return;
        }
    }
}

#[cfg(test)]
mod tests;
