//! The API on sockets: TLS with client certificates, HTTP/2 and HTTP/1.1 on one port.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::body::Body;
use futures::FutureExt;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{
    Error,
    api::Api,
    security::{User, authentication, authority::user_of_certificate},
};

/// A connection that waits longer than this for its next request is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(2);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// What is waited after an accept that failed, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The TLS configuration of the server: its own certificate, and the authority that client certificates must be from.
pub(crate) fn server_config(
    authority_pem: &str,
    certificate_pem: &str,
    key_pem: &str,
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let unreadable = |_| Error::Tls(rustls::Error::General("unreadable PEM".into()));
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(unreadable)?;
    roots.add(authority.clone()).map_err(Error::Tls)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(Error::ClientVerifier)?;
    let certificate =
        CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(unreadable)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate, authority], key)
        .map_err(Error::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Accepts connections until the server stops.
pub(crate) async fn accept_loop(api: Arc<Api>, listener: TcpListener, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    let connections = tokio_util::task::TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = api.stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, _)) => {
                connections.spawn(connection(api.clone(), acceptor.clone(), socket));
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not accept a connection"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn connection(api: Arc<Api>, acceptor: TlsAcceptor, socket: TcpStream) {
    let stop = api.stop.clone();
    if let Err(error) =
        serve_connection(api, acceptor, socket, stop.cancelled_owned().boxed()).await
    {
        tracing::debug!(error = &*error as &dyn std::error::Error, "a connection ended");
    }
}

async fn serve_connection(
    api: Arc<Api>,
    acceptor: TlsAcceptor,
    socket: TcpStream,
    stopped: futures::future::BoxFuture<'static, ()>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    socket.set_nodelay(true)?;
    let tls = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let certificate_user = tls
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|certificate| user_of_certificate(certificate));
    let service = service_fn(move |request: Request<Incoming>| {
        let (api, user) = (api.clone(), certificate_user.clone());
        async move { Ok::<_, Infallible>(answer(api, user, request.map(Body::new)).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(tls), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        result = &mut connection => return result,
        () = stopped => connection.as_mut().graceful_shutdown(),
    }
    // Watches end by themselves when the server stops; nothing else may hold it up.
    let _ = tokio::time::timeout(Duration::from_millis(500), connection).await;
    Ok(())
}

async fn answer(
    api: Arc<Api>,
    certificate_user: Option<User>,
    request: Request<Body>,
) -> http::Response<Body> {
    let user = match authentication::bearer(&request) {
        Some(token) => authentication::user_of_token(&api, token).or(certificate_user),
        None => Some(certificate_user.unwrap_or_else(User::anonymous)),
    };
    api.answer(user, request).await
}
