//! Certificates in PEM, as far as they are looked at.

use jiff::Timestamp;
use x509_parser::{pem::Pem, prelude::*};

pub(crate) struct Certificate {
    pub(crate) subject: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// All certificates of a PEM file, of which there must be one; else what is wrong, as the rest of a sentence.
pub(crate) fn all(pem: &[u8]) -> Result<Vec<Certificate>, &'static str> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|_| "is not PEM")?;
        if block.label != "CERTIFICATE" {
            continue;
        }
        let certificate = block.parse_x509().map_err(|_| "has a block that is no certificate")?;
        let validity = certificate.validity();
        let time = |at: ASN1Time| Timestamp::from_second(at.timestamp());
        let times =
            time(validity.not_before).and_then(|from| Ok((from, time(validity.not_after)?)));
        let (from, until) = times.map_err(|_| "has a certificate whose times are out of range")?;
        found.push(Certificate { subject: subject(&certificate), from, until });
    }
    if found.is_empty() {
        return Err("has no certificate in it (expected PEM: -----BEGIN CERTIFICATE-----)");
    }
    Ok(found)
}

/// The common name, which Kubernetes takes for the user, or the whole subject.
fn subject(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject();
    let name = subject.iter_common_name().next().and_then(|name| name.as_str().ok());
    name.map_or_else(|| subject.to_string(), str::to_owned)
}
