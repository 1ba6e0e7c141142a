//! Who may ask the kubelet: holders of certificates of the cluster's authority that are administrators or an API
//! server.

use std::{io, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::settings::Endpoint;

/// Why the endpoint cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not read {what}")]
    Pem {
        what: &'static str,
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    #[error("could not use the authority for clients' certificates")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("could not use the endpoint's certificate")]
    Certificate(#[source] rustls::Error),
    #[error("could not use the endpoint's listener")]
    Listener(#[source] io::Error),
}

/// Group whose members may do everything.
const ADMINISTRATORS: &str = "system:masters";
/// Name under which API servers come.
const API_SERVER: &str = "kube-apiserver-kubelet-client";

pub(super) fn acceptor(endpoint: &Endpoint) -> Result<TlsAcceptor, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(endpoint.client_authority_pem.as_bytes()) {
        let what = "the authority for clients' certificates";
        let certificate = certificate.map_err(|source| Error::Pem { what, source })?;
        roots.add(certificate).map_err(|error| Error::Authority(error.into()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| Error::Authority(error.into()))?;
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(endpoint.certificate_pem.as_bytes()).collect();
    let chain =
        chain.map_err(|source| Error::Pem { what: "the endpoint's certificate", source })?;
    let key = PrivateKeyDer::from_pem_slice(endpoint.key_pem.as_bytes())
        .map_err(|source| Error::Pem { what: "the endpoint's key", source })?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(Error::Certificate)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Every pod's owner may have a certificate of the authority; only some may read all logs.
pub(super) fn is_authorized(stream: &TlsStream<TcpStream>) -> bool {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
    let Some(Ok((_, certificate))) =
        certificate.map(|certificate| X509Certificate::from_der(certificate))
    else {
        return false;
    };
    let subject = certificate.subject();
    let has = |values: Vec<&str>, wanted: &str| values.contains(&wanted);
    let groups = subject.iter_organization().filter_map(|value| value.as_str().ok()).collect();
    let names = subject.iter_common_name().filter_map(|value| value.as_str().ok()).collect();
    has(groups, ADMINISTRATORS) || has(names, API_SERVER)
}
