//! WebSockets: channels, of which the first byte of each message names one, or a tunnel for another protocol.

use std::io;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinSet,
};
use tokio_util::{
    io::{CopyToBytes, SinkWriter, StreamReader},
    sync::CancellationToken,
};

use super::link::{Incoming, Link, Message, Outbox, Outgoing, WAITING};

/// Instead of a channel: the next byte names one that ends (from version 5 of the protocol on).
const END_OF_CHANNEL: u8 = 255;

/// A WebSocket with channels; those that the client sends through are received from in order.
pub(crate) struct Channels {
    pub(crate) link: Link,
    pub(crate) incoming: Vec<Incoming>,
}

impl Channels {
    /// Opens so many channels. `ends` says whether the client can end one of them by itself.
    pub(crate) fn open(socket: WebSocket, count: usize, ends: bool) -> Self {
        let (sink, source) = socket.split();
        let (messages, receiver) = mpsc::channel(WAITING);
        let gone = CancellationToken::new();
        let (senders, incoming) =
            (0..count).map(|_| mpsc::channel(WAITING)).unzip::<_, _, Vec<_>, Vec<_>>();
        let mut tasks = JoinSet::new();
        tasks.spawn(write(sink, Outbox::new(receiver), gone.clone()));
        let guard = gone.clone().drop_guard();
        tasks.spawn(async move {
            let _guard = guard;
            read(source, senders.into_iter().map(Some).collect(), ends).await;
        });
        Self { link: Link { messages, gone, tasks }, incoming }
    }

    /// What goes to the client through a channel.
    pub(crate) fn outgoing(&self, channel: u8) -> Outgoing {
        Outgoing::new(u32::from(channel), self.link.messages.clone())
    }
}

async fn read(
    mut source: SplitStream<WebSocket>,
    mut channels: Vec<Option<mpsc::Sender<Bytes>>>,
    ends: bool,
) {
    while let Some(Ok(frame)) = source.next().await {
        let mut piece = match frame {
            Frame::Binary(piece) => piece,
            // So the Python client sends what goes in.
            Frame::Text(text) => text.into(),
            Frame::Close(_) => return,
            Frame::Ping(_) | Frame::Pong(_) => continue,
        };
        if piece.is_empty() {
            continue;
        }
        let channel = piece.split_to(1)[0];
        if ends && channel == END_OF_CHANNEL {
            if let Some(slot) = piece.first().and_then(|name| channels.get_mut(usize::from(*name)))
            {
                *slot = None;
            }
            continue;
        }
        // What nobody takes any more, and what is said to a channel that there is not, is lost, as with the real kubelet.
        if let Some(Some(sender)) = channels.get(usize::from(channel))
            && !piece.is_empty()
        {
            let _ = sender.send(piece).await;
        }
    }
}

async fn write(mut sink: SplitSink<WebSocket, Frame>, mut outbox: Outbox, gone: CancellationToken) {
    while let Some(message) = outbox.next().await {
        let frame = match message {
            Message::Data(channel, piece) => {
                let mut bytes = BytesMut::with_capacity(piece.len() + 1);
                bytes.put_u8(u8::try_from(channel).unwrap_or(u8::MAX));
                bytes.extend_from_slice(&piece);
                Frame::Binary(bytes.freeze())
            }
            Message::Close => {
                let frame = CloseFrame { code: close_code::NORMAL, reason: "".into() };
                let _ = sink.send(Frame::Close(Some(frame))).await;
                return;
            }
            // Not a ping: a client whose own writing is held up would read nothing before it had answered.
            Message::SignOfLife => Frame::Pong(Bytes::new()),
            // The protocol has no words for the rest.
            Message::End(_) | Message::Accept(_) | Message::Refuse(_) | Message::Pong(_) => {
                continue;
            }
        };
        if sink.send(frame).await.is_err() {
            gone.cancel();
            return;
        }
    }
}

/// The bytes in the messages of a WebSocket, as a connection of their own.
pub(crate) fn tunnel(socket: WebSocket) -> impl AsyncRead + AsyncWrite + Send + Unpin + 'static {
    let (sink, source) = socket.split();
    let pieces = source.filter_map(async |frame| match frame {
        Ok(Frame::Binary(piece)) => Some(Ok(piece)),
        Ok(_) => None,
        Err(error) => Some(Err(io::Error::other(error))),
    });
    let sink = sink
        .sink_map_err(io::Error::other)
        .with(async |piece: Bytes| Ok::<_, io::Error>(Frame::Binary(piece)));
    tokio::io::join(
        StreamReader::new(Box::pin(pieces)),
        SinkWriter::new(CopyToBytes::new(Box::pin(sink))),
    )
}
