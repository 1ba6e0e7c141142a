//! One file from one repository.

mod again;

use std::{
    io::{Read as _, Seek as _, Write as _},
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::{Either, select};
use reqwest::{
    StatusCode,
    header::{IF_RANGE, RANGE},
    redirect::Policy,
};
use tempfile::NamedTempFile;
use url::Url;

use crate::{
    checksum::{Algorithm, Hash},
    error::Error,
    progress::Progress,
    settings::{Proxy, Remote, Settings},
};
use again::{pause_after, refused};

/// How long a connection may take to come about, and how long nothing may come over it.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_mins(1);
const MOST_REDIRECTS: usize = 8;
/// The largest checksum file that is read.
const MAX_CHECKSUM: u64 = 4096;

pub(crate) struct Transport {
    proxies: Vec<Proxy>,
    /// Made when something is fetched: reading the system's certificates takes longer than resolving what is all here.
    client: OnceLock<reqwest::Client>,
    pub(crate) progress: Arc<Progress>,
}

/// A file that came as a whole, with its checksum where the repository has one.
pub(crate) struct Fetched {
    pub(crate) part: NamedTempFile,
    pub(crate) checksum: Option<(Algorithm, String)>,
}

/// How far one file has come.
struct Download<'a> {
    part: &'a mut NamedTempFile,
    hash: Hash,
    written: u64,
    tag: Option<String>,
    limit: u64,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Self {
        let proxies = settings.proxies.clone();
        Self { proxies, client: OnceLock::new(), progress: Arc::default() }
    }

    fn client(&self) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(Policy::custom(|attempt| {
                match why_not_followed(attempt.previous(), attempt.url()) {
                    Some(why) => attempt.error(why),
                    None => attempt.follow(),
                }
            }))
            .user_agent(concat!("flumen/", env!("CARGO_PKG_VERSION")));
        if !self.proxies.is_empty() {
            let proxies = self.proxies.clone();
            builder = builder.proxy(reqwest::Proxy::custom(move |url| proxy_for(&proxies, url)));
        }
        let client =
            builder.build().map_err(|source| Error::Connect { source: source.without_url() })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Fetches a file into `part` and checks it; none if the repository does not have it.
    pub(crate) async fn fetch(
        &self,
        remote: &Remote,
        path: &str,
        mut part: NamedTempFile,
        limit: u64,
    ) -> Result<Option<Fetched>, Error> {
        let mut download =
            Download { part: &mut part, hash: Hash::default(), written: 0, tag: None, limit };
        let Some(first) = self.try_with_checksum(remote, path, &mut download).await? else {
            return Ok(None);
        };
        let hash = download.hash;
        let checksum = match first {
            Some(sha1) => Some((Algorithm::Sha1, sha1)),
            None => self.other_checksum(remote, path).await?,
        };
        if let Some((algorithm, expected)) = &checksum {
            let failed = |source| Error::Read { path: part.path().to_owned(), source };
            let found = hash.hex(*algorithm, part.as_file()).map_err(failed)?;
            if found != *expected {
                return Err(Error::Checksum {
                    path: path.to_owned(),
                    repository: remote.id.clone(),
                    algorithm: algorithm.extension(),
                    found,
                    expected: expected.clone(),
                });
            }
        }
        self.progress.file_came();
        Ok(Some(Fetched { part, checksum }))
    }

    /// The file, and its SHA-1 at the same time, as the answer to either takes longer than a small file; none if the
    /// repository does not have the file.
    async fn try_with_checksum(
        &self,
        remote: &Remote,
        path: &str,
        download: &mut Download<'_>,
    ) -> Result<Option<Option<String>>, Error> {
        let file = pin!(self.try_download(remote, path, download));
        let checksum = pin!(self.checksum(remote, path, Algorithm::Sha1));
        match select(file, checksum).await {
            Either::Left((Ok(true), checksum)) => checksum.await.map(Some),
            Either::Left((other, _)) => other.map(|_| None),
            Either::Right((checksum, file)) => match file.await {
                Ok(true) => checksum.map(Some),
                other => other.map(|_| None),
            },
        }
    }

    /// What a repository without SHA-1 says of a file.
    async fn other_checksum(
        &self,
        remote: &Remote,
        path: &str,
    ) -> Result<Option<(Algorithm, String)>, Error> {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            if let Some(expected) = self.checksum(remote, path, algorithm).await? {
                return Ok(Some((algorithm, expected)));
            }
        }
        Ok(None)
    }

    /// What the repository says of the file by one algorithm, if it does.
    async fn checksum(
        &self,
        remote: &Remote,
        path: &str,
        algorithm: Algorithm,
    ) -> Result<Option<String>, Error> {
        let path = format!("{path}.{}", algorithm.extension());
        let failed = |source| Error::Write { path: std::env::temp_dir(), source };
        let mut part = NamedTempFile::new().map_err(failed)?;
        let mut download = Download {
            part: &mut part,
            hash: Hash::default(),
            written: 0,
            tag: None,
            limit: MAX_CHECKSUM,
        };
        if !self.try_download(remote, &path, &mut download).await? {
            return Ok(None);
        }
        let mut text = String::new();
        part.rewind().map_err(failed)?;
        // What is no text is no checksum either.
        let _ = part.read_to_string(&mut text);
        Ok(algorithm.parse(&text))
    }

    async fn try_download(
        &self,
        remote: &Remote,
        path: &str,
        download: &mut Download<'_>,
    ) -> Result<bool, Error> {
        let address =
            remote.url.join(path).map_err(|_| Error::Address { repository: remote.id.clone() })?;
        if address.scheme() == "file" {
            return copy(&address, remote, path, download);
        }
        self.try_address(remote, path, &address, download).await
    }

    /// Fetches what lies at an address into `part`, as it comes; false if nothing does. Messages call it `path`.
    pub(crate) async fn fetch_address(
        &self,
        remote: &Remote,
        (path, address): (&str, &Url),
        part: &mut NamedTempFile,
        limit: u64,
    ) -> Result<bool, Error> {
        let mut download = Download { part, hash: Hash::default(), written: 0, tag: None, limit };
        self.try_address(remote, path, address, &mut download).await
    }

    /// Tries until the file is there, is known not to be, or trying does not help. What came before a break is kept.
    async fn try_address(
        &self,
        remote: &Remote,
        path: &str,
        address: &Url,
        download: &mut Download<'_>,
    ) -> Result<bool, Error> {
        let mut attempt = 1;
        loop {
            let done = self.download(remote, path, address.clone(), download).await;
            let pause = done.as_ref().err().and_then(|error| pause_after(attempt, error));
            let Some(pause) = pause else { return done };
            tracing::debug!(path, repository = remote.id, attempt, ?pause, "fetching again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn download(
        &self,
        remote: &Remote,
        path: &str,
        address: Url,
        download: &mut Download<'_>,
    ) -> Result<bool, Error> {
        let failed = |source: reqwest::Error| Error::Fetch {
            path: path.to_owned(),
            repository: remote.id.clone(),
            source: Arc::new(source.without_url()),
        };
        let mut request = self.client()?.get(address);
        if let Some((user, password)) = &remote.access.basic {
            request = request.basic_auth(user, Some(password.expose()));
        }
        for (name, value) in &remote.access.headers {
            request = request.header(name, value.expose());
        }
        if let Some(tag) = download.tag.as_ref().filter(|_| download.written > 0) {
            let range = format!("bytes={}-", download.written);
            request = request.header(RANGE, range).header(IF_RANGE, tag);
        }
        let mut answer = request.send().await.map_err(failed)?;
        match answer.status() {
            StatusCode::OK => download.restart(path)?,
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(false),
            status => return Err(refused(status, answer.headers(), remote, path)),
        }
        let tag = answer.headers().get(reqwest::header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).filter(|tag| !tag.starts_with("W/"));
        download.tag = tag.map(str::to_owned);
        while let Some(bytes) = answer.chunk().await.map_err(failed)? {
            download.write(&bytes, remote, path)?;
            self.progress.bytes_came(bytes.len());
        }
        Ok(true)
    }
}

impl Download<'_> {
    fn restart(&mut self, path: &str) -> Result<(), Error> {
        if self.written > 0 {
            let failed = |source| Error::Write { path: path.into(), source };
            self.part.as_file().set_len(0).map_err(failed)?;
            self.part.rewind().map_err(failed)?;
            (self.hash, self.written) = (Hash::default(), 0);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], remote: &Remote, path: &str) -> Result<(), Error> {
        self.written += bytes.len() as u64;
        if self.written > self.limit {
            return Err(Error::TooManyBytes {
                path: path.to_owned(),
                repository: remote.id.clone(),
                limit: self.limit,
            });
        }
        self.hash.update(bytes);
        let target = self.part.path().to_owned();
        self.part.write_all(bytes).map_err(|source| Error::Write { path: target, source })
    }
}

/// From a repository that is a directory.
fn copy(
    address: &Url,
    remote: &Remote,
    path: &str,
    download: &mut Download<'_>,
) -> Result<bool, Error> {
    let refuse = || Error::Address { repository: remote.id.clone() };
    let file = address.to_file_path().map_err(|()| refuse())?;
    match std::fs::read(&file) {
        Ok(bytes) => download.write(&bytes, remote, path).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Read { path: file, source }),
    }
}

/// Why a redirect is not followed, if it is not.
fn why_not_followed(previous: &[Url], next: &Url) -> Option<&'static str> {
    let was_safe = previous.iter().any(|url| url.scheme() == "https");
    if previous.len() > MOST_REDIRECTS {
        Some("too many redirects")
    } else if was_safe && next.scheme() != "https" {
        Some("a redirect from https to http")
    } else {
        None
    }
}

/// The proxy for an address, with user and password in it, as the HTTP client takes them.
fn proxy_for(proxies: &[Proxy], url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let proxy = proxies.iter().find(|proxy| proxy.protocol.eq_ignore_ascii_case(url.scheme()))?;
    if proxy.not_for.iter().any(|pattern| is_like(pattern, host)) {
        return None;
    }
    let mut address = Url::parse(&format!("http://{}:{}/", proxy.host, proxy.port)).ok()?;
    if let Some((user, password)) = &proxy.basic {
        address.set_username(user).ok()?;
        address.set_password(Some(password.expose())).ok()?;
    }
    Some(address)
}

/// Whether a host fits a pattern such as `*.example.com` or `10.*`.
fn is_like(pattern: &str, host: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(host),
        Some((start, end)) => {
            let host = host.to_ascii_lowercase();
            let (start, end) = (start.to_ascii_lowercase(), end.to_ascii_lowercase());
            host.len() >= start.len() + end.len()
                && host.starts_with(&start)
                && host.ends_with(&end)
        }
    }
}

#[cfg(test)]
mod tests {
    use flumen_model::Secret;

    use super::*;

    #[test]
    fn a_redirect_leads_to_nothing_less_safe_and_not_on_and_on() {
        let url = |text: &str| Url::parse(text).expect("an address");
        let (safe, plain) = (url("https://a.example/"), url("http://a.example/"));
        let both = [plain.clone(), safe.clone()];
        assert_eq!(why_not_followed(&both[..1], &safe), None);
        assert_eq!(why_not_followed(&both[..1], &plain), None);
        assert_eq!(why_not_followed(&both, &safe), None);
        assert!(why_not_followed(&both, &plain).is_some());
        assert!(why_not_followed(&vec![plain.clone(); 9], &plain).is_some());
    }

    #[test]
    fn a_proxy_is_for_its_protocol_and_not_for_its_exceptions() {
        let proxies = [Proxy {
            protocol: "https".to_owned(),
            host: "proxy".to_owned(),
            port: 3128,
            not_for: vec!["*.intern".to_owned(), "10.*".to_owned(), "localhost".to_owned()],
            basic: Some(("user".to_owned(), Secret::new("p@ss".to_owned()))),
        }];
        let of = |url: &str| proxy_for(&proxies, &Url::parse(url).expect("an address"));
        assert_eq!(
            of("https://a.example/").expect("one").as_str(),
            "http://user:p%40ss@proxy:3128/"
        );
        for url in
            ["http://a.example/", "https://x.intern/", "https://10.1.2.3/", "https://localhost/"]
        {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
