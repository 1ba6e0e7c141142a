//! TLS to a container, of which nothing is known but its address: certificates are taken whatever they say, as by the real
//! kubelet.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::beginning::Heard;

/// In the order of preference.
const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
const HTTP2: &[u8] = b"h2";

/// Why there is no TLS.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The other side speaks HTTP without TLS.
    PlainHttp,
    Failed(String),
}

/// Believes every server. Not even signatures are looked at: who takes any key gains nothing by its proof, and servers with
/// certificates of the first version, which cannot be read here, are taken too.
#[derive(Debug)]
struct BelievesEveryone(Arc<CryptoProvider>);

impl ServerCertVerifier for BelievesEveryone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn connector() -> Result<TlsConnector, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesEveryone(provider)))
        .with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

pub(super) async fn open(address: IpAddr, heard: Heard) -> Result<TlsStream<Heard>, Refusal> {
    let connector = connector().map_err(|error| Refusal::Failed(error.to_string()))?;
    let opened = connector.connect(ServerName::from(address), heard).into_fallible().await;
    opened.map_err(|(error, heard)| {
        if heard.beginning.is_http() {
            Refusal::PlainHttp
        } else {
            Refusal::Failed(format!("remote error: tls: {error}"))
        }
    })
}

/// Whether both sides agreed on HTTP/2.
pub(super) fn has_http2(stream: &TlsStream<Heard>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}
