//! A connection with its streams: one task that reads, one that writes.

use std::collections::HashMap;

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
    streams::link::{Incoming, Link, Message, Outgoing, PIECE, WAITING},
};

/// Most streams that a client may have open at once: two for each forwarded connection.
const MOST_STREAMS: usize = 1024;

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
        tasks.spawn(write(sink, receiver));
        let reading = Reading {
            source,
            headers: Reader::new(),
            opened,
            // Held weakly, so that the writer ends when nobody else has anything to say.
            messages: messages.downgrade(),
            senders: HashMap::new(),
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

struct Reading<R> {
    source: R,
    headers: Reader,
    opened: mpsc::Sender<Stream>,
    messages: mpsc::WeakSender<Message>,
    /// Streams that the client has not ended.
    senders: HashMap<u32, mpsc::Sender<Bytes>>,
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
                    if last {
                        self.senders.remove(&stream);
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
            if let Some(sender) = self.senders.get(&stream) {
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
                self.senders.remove(&stream);
            }
            Control::Ping(id) => self.say(Message::Pong(id)).await,
            Control::Skipped => {}
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
        if self.senders.len() >= MOST_STREAMS {
            self.say(Message::Refuse(stream)).await;
            return Ok(());
        }
        self.say(Message::Accept(stream)).await;
        if !last {
            self.senders.insert(stream, sender);
        }
        // Nobody waits for streams any more when the session is over.
        let _ = self
            .opened
            .send(Stream { headers, incoming, outgoing: Outgoing { stream, messages } })
            .await;
        Ok(())
    }

    async fn say(&mut self, message: Message) {
        if let Some(messages) = self.messages.upgrade() {
            // Without a writer the connection ends soon.
            let _ = messages.send(message).await;
        }
    }
}

async fn write(mut sink: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Message>) {
    let mut headers = Writer::new();
    let mut newest = 0;
    while let Some(message) = messages.recv().await {
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
            Message::Close => {
                close = true;
                frame::go_away(newest)
            }
        };
        let written = async {
            sink.write_all(&bytes).await?;
            if close { sink.shutdown().await } else { sink.flush().await }
        };
        if written.await.is_err() || close {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(headers: &mut Writer, stream: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
        let block = headers.write(pairs);
        let mut bytes = vec![0x80, 3, 0, 1, 0];
        bytes.extend(&u32::try_from(block.len() + 10).unwrap().to_be_bytes()[1..]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend([0; 6]);
        bytes.extend(block);
        bytes
    }

    #[tokio::test]
    async fn streams_carry_data_both_ways() {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut session = Session::open(server);
        let mut headers = Writer::new();
        client
            .write_all(&open(&mut headers, 1, &[("streamType", "data"), ("port", "80")]))
            .await
            .unwrap();
        client.write_all(&frame::data(1, false, &vec![7; 100_000])).await.unwrap();
        client.write_all(&frame::data(1, true, b"end")).await.unwrap();
        client.write_all(&frame::ping(3)).await.unwrap();
        let mut stream = session.accept().await.unwrap();
        assert_eq!(
            (stream.header("streamtype"), stream.header("port"), stream.header("no")),
            ("data", "80", "")
        );
        let mut came = Vec::new();
        while let Some(piece) = stream.incoming.recv().await {
            assert!(piece.len() <= PIECE);
            came.extend_from_slice(&piece);
        }
        assert_eq!((came.len(), &came[100_000..]), (100_003, &b"end"[..]));
        assert!(stream.outgoing.send("hello".into()).await);
        stream.outgoing.end().await;
        let (gone, finishing) = (session.link.gone(), tokio::spawn(session.link.finish()));
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        let expected = [
            frame::reply(1, &Writer::new().write(&[])),
            frame::ping(3),
            frame::data(1, false, b"hello"),
            frame::data(1, true, b""),
            frame::go_away(1),
        ];
        assert_eq!(said, expected.concat());
        assert!(!gone.is_cancelled());
        drop(client);
        finishing.await.unwrap();
        assert!(gone.is_cancelled());
    }

    #[tokio::test]
    async fn what_a_client_may_not_do_ends_its_connection() {
        let mut headers = Writer::new();
        let twice = [open(&mut headers, 3, &[]), open(&mut headers, 3, &[])].concat();
        let nonsense = b"GET / HTTP/1.1\r\n\r\n".repeat(1000);
        for bytes in [
            twice,
            open(&mut Writer::new(), 2, &[]),
            nonsense,
            vec![0x80, 3, 0, 1, 0, 0, 0, 1, 0],
            vec![0x80],
        ] {
            let (mut client, server) = tokio::io::duplex(1 << 20);
            let mut session = Session::open(server);
            client.write_all(&bytes).await.unwrap();
            drop(client);
            session.link.gone().cancelled().await;
            while session.accept().await.is_some() {}
        }
    }

    #[tokio::test]
    async fn a_client_cannot_open_streams_without_end() {
        let (mut client, server) = tokio::io::duplex(1 << 22);
        let mut session = Session::open(server);
        let mut headers = Writer::new();
        for stream in 0..=u32::try_from(MOST_STREAMS).unwrap() {
            client.write_all(&open(&mut headers, stream * 2 + 1, &[])).await.unwrap();
        }
        client.shutdown().await.unwrap();
        let mut streams = Vec::new();
        while let Some(stream) = session.accept().await {
            streams.push(stream);
        }
        assert_eq!(streams.len(), MOST_STREAMS);
    }
}
