//! The first bytes that the other side of a connection says: they tell which protocol it speaks.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Length of the head of an HTTP/2 frame, and where its type is in there.
const FRAME_HEAD: usize = 9;
const FRAME_TYPE: usize = 3;
/// With this one the server of HTTP/2 begins.
const SETTINGS: u8 = 4;

/// What was said first; shared with the connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning(Arc<Mutex<Vec<u8>>>);

impl Beginning {
    fn take(&self, said: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = FRAME_HEAD - kept.len();
        kept.extend(said.iter().take(missing));
    }

    fn kept(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An answer of HTTP/1, as to a client that did not speak TLS.
    pub(super) fn is_http(&self) -> bool {
        self.kept().starts_with(b"HTTP/")
    }

    pub(super) fn is_http2(&self) -> bool {
        let kept = self.kept();
        kept.len() == FRAME_HEAD && kept[FRAME_TYPE] == SETTINGS
    }
}

/// A connection that keeps what the other side says first.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) connection: TcpStream,
    pub(super) beginning: Beginning,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        self.beginning.take(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        piece: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, piece)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}
