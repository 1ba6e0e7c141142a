//! The cluster's own certificate authority: made once, kept in the data directory, signs servers and clients.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use serde_json::{Value, json};

use super::files;
use crate::Error;

const VALID_FROM_YEAR: i32 = 2020;
const VALID_TO_YEAR: i32 = 2120;

/// A certificate and its key, both as PEM.
pub type Pair = (String, String);

/// The certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Reads the authority from a directory, or makes it there.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let key_path = directory.join("ca.key");
        let certificate_path = directory.join("ca.crt");
        if let (Some(key), Some(pem)) = (files::read(&key_path)?, files::read(&certificate_path)?) {
            let unusable = |_| Error::Key { path: key_path.clone() };
            let key = KeyPair::from_pem(&key).map_err(unusable)?;
            let issuer = Issuer::from_ca_cert_pem(&pem, key)
                .map_err(|_| Error::Key { path: certificate_path.clone() })?;
            return Ok(Self { issuer, pem });
        }
        let failed =
            |source| Error::IssueCertificate { subject: "the cluster's authority".into(), source };
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = parameters("flumen-local-ca", &[], &[]).map_err(failed)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let pem = parameters.self_signed(&key).map_err(failed)?.pem();
        files::write_private(&key_path, key.serialize_pem().as_bytes())?;
        files::write_private(&certificate_path, pem.as_bytes())?;
        Ok(Self { issuer: Issuer::new(parameters, key), pem })
    }

    /// The certificate that clients must trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate that proves who a client is.
    pub fn issue_client(&self, user: &str, groups: &[&str]) -> Result<Pair, Error> {
        if groups.len() > 2 {
            return Err(Error::TooManyGroups { user: user.to_owned(), count: groups.len() });
        }
        let make = || {
            let mut parameters = parameters(user, groups, &[])?;
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            self.sign(parameters)
        };
        make().map_err(|source| Error::IssueCertificate { subject: user.to_owned(), source })
    }

    /// A certificate for a server with these names and addresses; the first one is its subject.
    pub fn issue_server(&self, names: &[String]) -> Result<Pair, Error> {
        let subject = names.first().map_or("server", String::as_str);
        let make = || {
            let mut parameters = parameters(subject, &[], names)?;
            parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            self.sign(parameters)
        };
        make().map_err(|source| Error::IssueCertificate { subject: subject.to_owned(), source })
    }

    fn sign(&self, mut parameters: CertificateParams) -> Result<Pair, rcgen::Error> {
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// A kubeconfig with a client certificate in it.
    pub fn kubeconfig(&self, url: &str, user: &str, groups: &[&str]) -> Result<String, Error> {
        let (certificate, key) = self.issue_client(user, groups)?;
        let credential = json!({
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key),
        });
        Ok(self.kubeconfig_with(url, user, &credential))
    }

    /// A kubeconfig in which a user has this credential.
    pub fn kubeconfig_with(&self, url: &str, user: &str, credential: &Value) -> String {
        let authority = STANDARD.encode(&self.pem);
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "flumen-local",
            "clusters": [{
                "name": "flumen-local",
                "cluster": {"server": url, "certificate-authority-data": authority},
            }],
            "users": [{"name": user, "user": credential}],
            "contexts": [{
                "name": "flumen-local",
                "context": {"cluster": "flumen-local", "user": user, "namespace": "default"},
            }],
        });
        // JSON is YAML, and what reads kubeconfigs reads both.
        format!("{config:#}\n")
    }
}

fn parameters(
    subject: &str,
    groups: &[&str],
    names: &[String],
) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names.to_vec())?;
    let mut name = DistinguishedName::new();
    // The library keeps one value for each type, so the second group goes under the type's number.
    let organisation = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
    for (kind, group) in organisation.into_iter().zip(groups) {
        name.push(kind, *group);
    }
    name.push(DnType::CommonName, subject);
    parameters.distinguished_name = name;
    parameters.not_before = date_time_ymd(VALID_FROM_YEAR, 1, 1);
    parameters.not_after = date_time_ymd(VALID_TO_YEAR, 1, 1);
    Ok(parameters)
}

/// The user that a client certificate names.
pub(crate) fn user_of_certificate(der: &[u8]) -> Option<super::User> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    let groups = subject.iter_organization().filter_map(|group| group.as_str().ok());
    Some(super::User::new(name, groups))
}

#[cfg(test)]
mod tests {
    use x509_parser::pem::parse_x509_pem;

    use super::{Authority, user_of_certificate};

    #[test]
    fn an_authority_is_the_same_after_a_restart_and_its_key_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let first = Authority::open(directory.path()).unwrap();
        let second = Authority::open(directory.path()).unwrap();
        assert_eq!(first.pem(), second.pem());
        let mode = std::fs::metadata(directory.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_client_certificate_names_its_user_and_groups() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let (pem, _) =
            authority.issue_client("system:node:a", &["system:nodes", "others"]).unwrap();
        let user =
            user_of_certificate(&parse_x509_pem(pem.as_bytes()).unwrap().1.contents).unwrap();
        assert_eq!(user.name, "system:node:a");
        assert_eq!(user.groups, ["system:nodes", "others", "system:authenticated"]);
    }
}
