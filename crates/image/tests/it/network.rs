//! What stands between the client and a registry: lines that break, proxies, TLS.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use flumen_image::{Client, Error, Progress, Reference, Settings};
use flumen_model::{Kind, Secret};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::support::{Registry, Workshop, settings};

/// Where a connection breaks, counted from its beginning.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    /// After so many bytes to the registry.
    Sent(u64),
    /// After so many bytes from it.
    Received(u64),
    /// Instead of the answer to what ends after so many bytes to the registry.
    Answer(u64),
}

/// A line to a registry that breaks as planned: one connection for each cut, in their order, then no more.
pub(crate) struct Line {
    pub(crate) host: String,
    cuts: Arc<Mutex<VecDeque<Cut>>>,
    sent: Arc<AtomicU64>,
}

impl Line {
    pub(crate) async fn to(host: &str, cuts: &[Cut]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Self {
            host: listener.local_addr().unwrap().to_string(),
            cuts: Arc::new(Mutex::new(cuts.iter().copied().collect())),
            sent: Arc::default(),
        };
        let (cuts, sent, host) = (line.cuts.clone(), line.sent.clone(), host.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let cut = cuts.lock().unwrap().pop_front();
                let server = TcpStream::connect(&host).await.unwrap();
                tokio::spawn(connect(client, server, cut, sent.clone()));
            }
        });
        line
    }

    pub(crate) fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.host).parse().unwrap()
    }

    /// Bytes that went to the registry over all connections.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether every connection broke that was to break.
    pub(crate) fn is_done(&self) -> bool {
        self.cuts.lock().unwrap().is_empty()
    }
}

async fn connect(client: TcpStream, server: TcpStream, cut: Option<Cut>, sent: Arc<AtomicU64>) {
    let (up, down, received) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    // How much may go on, each time that something came.
    let left = |is_up: bool| {
        let (up, down) = (up.load(Ordering::Relaxed), down.load(Ordering::Relaxed));
        match (cut, is_up) {
            (Some(Cut::Sent(most)), true) => most - up,
            (Some(Cut::Received(most)), false) => most - down,
            (Some(Cut::Answer(after)), false) if up >= after => 0,
            _ => u64::MAX,
        }
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Whichever ends first ends both: the sockets close when they are dropped.
    tokio::select! {
        () = pass(from_client, to_server, || left(true), &up, &sent) => {}
        () = pass(from_server, to_client, || left(false), &down, &received) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    left: impl Fn() -> u64,
    passed: &AtomicU64,
    in_all: &AtomicU64,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let may_pass = usize::try_from(left()).unwrap_or(usize::MAX);
        let passing = count.min(may_pass);
        if to.write_all(&buffer[..passing]).await.is_err() {
            return;
        }
        passed.fetch_add(passing as u64, Ordering::Relaxed);
        in_all.fetch_add(passing as u64, Ordering::Relaxed);
        if passing == may_pass {
            return;
        }
    }
}

/// An HTTP proxy that knows one name, `registry.test:443`, where a TLS server stands before `host`.
async fn proxy_to(host: &str) -> (String, Vec<u8>) {
    let certified = rcgen::generate_simple_self_signed(["registry.test".to_owned()]).unwrap();
    let pem = certified.cert.pem().into_bytes();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://ann:hunter2@{}", listener.local_addr().unwrap());
    let host = host.to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (acceptor, host) = (acceptor.clone(), host.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let knows_us = head.contains("Basic YW5uOmh1bnRlcjI=");
                if !head.starts_with("CONNECT registry.test:443 ") || !knows_us {
                    client.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n").await.unwrap();
                    return;
                }
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
                // A client that does not trust the certificate hangs up.
                let Ok(mut tls) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(host).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut server).await;
            });
        }
    });
    (address, pem)
}

#[tokio::test]
async fn a_registry_behind_a_proxy_is_trusted_by_its_own_authority() {
    let registry = Registry::start();
    let (proxy, authority) = proxy_to(&registry.backend).await;
    let client = |certificate_authorities| {
        let proxy = Some(Secret::new(proxy.clone()));
        Client::new(Settings { proxy, certificate_authorities, ..settings() }).unwrap()
    };
    let workshop = Workshop::new();
    let layer = workshop.layer("x", b"content").await;
    let repository: Reference = "registry.test/job".parse().unwrap();
    let trusting = client(vec![authority]);
    trusting.push_layer(&repository, &layer, &Progress::silent()).await.unwrap();
    assert!(trusting.has_blob(&repository, &layer.digest).await.unwrap());
    let error = client(Vec::new()).has_blob(&repository, &layer.digest).await.expect_err("unknown");
    assert!(matches!(error, Error::Reach { .. }) && error.kind() == Kind::Unavailable, "{error}");
    let shown =
        format!("{:?} {error:?}", Settings { proxy: Some(Secret::new(proxy)), ..settings() });
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_wrong_proxy_and_a_wrong_authority_are_refused_at_once() {
    let proxy = Some(Secret::new("http://ann:hunter2@:x".into()));
    let error = Client::new(Settings { proxy, ..settings() }).expect_err("no address");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    for wrong in ["-----BEGIN CERTIFICATE-----\nx\n", "{}", ""] {
        let certificate_authorities = vec![wrong.as_bytes().to_vec()];
        let error = Client::new(Settings { certificate_authorities, ..settings() });
        assert!(matches!(error, Err(Error::ReadCertificateAuthority { .. })), "{wrong}: {error:?}");
    }
}
