use std::{
    collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration,
};

use flumen_model::ByteSize;
use flumen_release_policy::Policy;
use tracing_subscriber::EnvFilter;
use url::Url;

/// Where something listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            "expected an IP address and a port, such as 127.0.0.1:7600; port 0 takes a free one"
                .to_owned()
        })
    }
}

/// An index of packages, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageIndex(pub(crate) Url);

impl FromStr for PackageIndex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            "expected http:// or https:// and where the projects are listed, without user name and password, such as https://pypi.org/simple".to_owned()
        };
        plain_url(text).map(Self).ok_or_else(refuse)
    }
}

/// Where pods reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PodUrl(pub(crate) Url);

impl FromStr for PodUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            "expected http:// or https:// and where pods reach this server, without user name and password, such as http://flumen.example.com:7600".to_owned()
        };
        plain_url(text).map(Self).ok_or_else(refuse)
    }
}

impl fmt::Display for PodUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A URL of the web with nothing in it but its place.
fn plain_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    (is_plain && is_web).then_some(url)
}

impl fmt::Display for PackageIndex {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The file of a release policy, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    pub(crate) path: PathBuf,
    pub(crate) policy: Policy,
}

impl FromStr for PolicyFile {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the file cannot be read: {error}"))?;
        let policy = Policy::parse(path, &text).map_err(|error| error.to_string())?;
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        Ok(Self { path, policy })
    }
}

/// A file in the form of Docker's `config.json`, which can be read. It is read again for each use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialFile(pub(crate) PathBuf);

impl FromStr for CredentialFile {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        read(path)?;
        std::path::absolute(path).map(Self).map_err(|error| error.to_string())
    }
}

/// Certificates of authorities in PEM, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFile {
    pub(crate) path: PathBuf,
    pub(crate) pem: Vec<u8>,
}

impl FromStr for CertificateFile {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let pem = read(path)?;
        let settings = flumen_image::Settings {
            certificate_authorities: vec![pem.clone()],
            ..flumen_image::Settings::default()
        };
        flumen_image::Client::new(settings)
            .map_err(|_| "expected a file with certificates in PEM".to_owned())?;
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        Ok(Self { path, pem })
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("the file cannot be read: {error}"))
}

/// Names of registries, `host` or `host:port`, with commas between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegistryNames(pub(crate) BTreeSet<String>);

impl FromStr for RegistryNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |name: &str| {
            let reference = flumen_image::Reference::new(name.trim(), "any").ok()?;
            Some(reference.registry().to_owned())
        };
        let names: Option<BTreeSet<String>> = text.split(',').map(name).collect();
        names.map(Self).ok_or_else(|| {
            "expected host names or addresses, with or without ports, and commas between, such as registry.example.com:5000".to_owned()
        })
    }
}

impl fmt::Display for RegistryNames {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            write!(out, "{}{name}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Commands that kubeconfigs may have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commands(pub(crate) Vec<String>);

impl FromStr for Commands {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all: Vec<_> = text.split(',').map(|one| one.trim().to_owned()).collect();
        let is_command = |one: &String| {
            let is_relative = one.contains('/') && !one.starts_with('/');
            !one.is_empty() && !is_relative && !one.contains(char::is_whitespace)
        };
        if !all.iter().all(is_command) {
            return Err("expected names of commands or their absolute paths with commas between, such as /opt/bin/eu-1-token,kubelogin".to_owned());
        }
        Ok(Self(all))
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join(","))
    }
}

/// A number of cores, kept in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) millis: u64,
}

impl FromStr for Cores {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            "expected a number of cores above 0 such as 2 or 1.5, or thousandths such as 1500m"
                .to_owned()
        };
        if let Some(millis) = text.strip_suffix('m') {
            let millis = millis.parse().ok().filter(|millis| *millis > 0);
            return millis.map(|millis| Self { millis }).ok_or_else(refuse);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let whole: u64 = whole.parse().map_err(|_| refuse())?;
        if fraction.is_empty()
            || fraction.len() > 3
            || !fraction.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(refuse());
        }
        let millis: u64 = format!("{fraction:0<3}").parse().map_err(|_| refuse())?;
        whole
            .checked_mul(1000)
            .and_then(|whole| whole.checked_add(millis))
            .filter(|millis| *millis > 0)
            .map(|millis| Self { millis })
            .ok_or_else(refuse)
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}m", self.millis)
    }
}

/// An amount of memory, of which there is some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory(pub(crate) ByteSize);

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<ByteSize>() {
            Ok(size) if size.bytes() > 0 => Ok(Self(size)),
            Ok(_) => Err("expected more than 0, such as 8g".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count<T, const LEAST: u16, const MOST: u16>(pub(crate) T);

impl<T: TryFrom<u16>, const LEAST: u16, const MOST: u16> FromStr for Count<T, LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<u16>().ok().filter(|number| (LEAST..=MOST).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.map(Self).ok_or_else(|| format!("expected a number from {LEAST} to {MOST}"))
    }
}

/// A time of at least an hour: what is shorter could end while a release is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let period = text.parse::<jiff::SignedDuration>().ok();
        let period = period.and_then(|period| Duration::try_from(period).ok());
        let allowed = || "expected a time of at least 1h, such as 24h or 90m".to_owned();
        period.filter(|period| period.as_secs() >= 60 * 60).map(Self).ok_or_else(allowed)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s", self.0.as_secs())
    }
}

/// What is logged: a checked filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(pub(crate) String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!(
                "expected error, warn, info, debug, trace or a filter such as info,flumen_control=debug ({error})"
            )),
        }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object per line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json".to_owned()),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_counted_in_thousandths() {
        for (text, millis) in [("2", 2000), ("1.5", 1500), ("0.125", 125), ("750m", 750)] {
            assert_eq!(text.parse(), Ok(Cores { millis }), "{text}");
        }
        for bad in ["", "0", "0m", "0.0", "-1", "-1m", "1.", "1.2345", "two", "m"] {
            assert!(bad.parse::<Cores>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_period_is_read_as_it_is_written_and_is_no_shorter_than_an_hour() {
        for (text, seconds) in [("24h", 86400), ("90m", 5400), ("1h30m", 5400), ("5400s", 5400)] {
            let period: Period = text.parse().expect(text);
            assert_eq!(period.0.as_secs(), seconds);
            assert_eq!(period.to_string().parse(), Ok(period));
        }
        for bad in ["", "0", "59m", "-24h", "24", "soon"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_memory_is_no_amount() {
        assert_eq!("8g".parse(), Ok(Memory(ByteSize::from_mebibytes(8 << 10))));
        for bad in ["", "0", "0g", "much"] {
            assert!(bad.parse::<Memory>().is_err(), "{bad}");
        }
    }
}
