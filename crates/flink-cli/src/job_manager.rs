//! Calls to the JobManager that an action is for.

use std::time::Duration;

use flumen_flink_conf::Configuration;
use flumen_flink_rest::Call;
use flumen_k8s::{Cluster, ServicePort};
use flumen_model::Kind;
use http::{Request, StatusCode};
use tokio::time::Instant;

use crate::{
    Error, Surroundings,
    command_line::CommandLine,
    connect::{Place, connect},
    effective::{self, CLUSTER_ID, REMOTE},
    endpoint,
};

/// Between two tries of a call that only reads, while the JobManager is not ready.
const PAUSE: Duration = Duration::from_secs(1);
/// The first and the longest pause between two looks at an operation, as in Flink's client.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_secs(2);
const MAX_ATTEMPTS: &str = "rest.retry.max-attempts";

/// A JobManager that can be asked.
#[derive(Debug)]
pub(crate) struct JobManager {
    way: Way,
    /// For one call, and for an operation as a whole (`client.timeout`).
    limit: Duration,
    /// How long a call is tried again while the JobManager is not ready.
    patience: Duration,
}

#[derive(Debug)]
enum Way {
    /// Through the API server's service proxy.
    Proxy { cluster: Cluster, port: Box<ServicePort> },
    /// By its address, without a slash at the end.
    Address { address: String, client: reqwest::Client },
}

impl JobManager {
    /// The JobManager that configuration and command line name.
    pub(crate) async fn find(
        configuration: &Configuration,
        line: &CommandLine,
        surroundings: &mut Surroundings<'_>,
    ) -> Result<Self, Error> {
        let limit = configuration.duration("client.timeout")?.unwrap_or(Duration::from_mins(1));
        let patience = patience(configuration)?;
        let target = effective::target(configuration);
        if target == REMOTE {
            let address = remote_address(configuration, line)?;
            return Ok(Self { way: Way::to(address)?, limit, patience });
        }
        if ![effective::SESSION, effective::APPLICATION].contains(&target.as_str()) {
            return Err(Error::Unsupported {
                what: format!("the target {target:?} is none that Flumen knows"),
                instead: "Use kubernetes-application, kubernetes-session or remote.".to_owned(),
            });
        }
        let cluster_id = configuration.string(CLUSTER_ID)?.ok_or(Error::NoClusterId)?;
        let place = connect(configuration, surroundings).await?;
        let way = Self::way_to((place, &cluster_id), configuration, surroundings).await?;
        Ok(Self { way, limit, patience })
    }

    async fn way_to(
        (place, cluster_id): (Place, &str),
        configuration: &Configuration,
        surroundings: &Surroundings<'_>,
    ) -> Result<Way, Error> {
        let found = place.cluster.rest_service(&place.namespace, cluster_id).await?;
        let service = found.ok_or_else(|| Error::NoEndpoint {
            cluster_id: cluster_id.to_owned(),
            namespace: place.namespace.to_string(),
        })?;
        let direct =
            endpoint::direct(&place, configuration, (cluster_id, &service), surroundings).await;
        match direct {
            Some(address) => Way::to(address),
            None => Ok(Way::Proxy {
                port: Box::new(ServicePort {
                    namespace: place.namespace,
                    service: format!("{cluster_id}-rest"),
                    port: "rest".to_owned(),
                }),
                cluster: place.cluster,
            }),
        }
    }

    /// Asks once, or, where nothing changes by asking again, until the JobManager is ready.
    pub(crate) async fn ask<T>(&self, call: &Call<T>) -> Result<T, Error> {
        self.ask_as(call, call.is_read()).await
    }

    /// Asks, again too where that is harmless because the call carries an id of its own.
    pub(crate) async fn ask_as<T>(&self, call: &Call<T>, repeat: bool) -> Result<T, Error> {
        let end = end_of(self.patience);
        loop {
            match self.once(call).await {
                Err(error) if repeat && is_passing(&error) && !is_over(end, PAUSE) => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// Looks again and again until there is a result, for at most `client.timeout`.
    pub(crate) async fn wait_for<T, S>(
        &self,
        call: &Call<S>,
        still: &str,
        result: impl Fn(S) -> Option<T>,
    ) -> Result<T, Error> {
        let end = end_of(self.limit);
        let mut pause = FIRST_LOOK;
        loop {
            if let Some(result) = result(self.ask(call).await?) {
                return Ok(result);
            }
            if is_over(end, pause) {
                let (seconds, still) = (self.limit.as_secs(), still.to_owned());
                return Err(Error::TimedOut { seconds, still });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    async fn once<T>(&self, call: &Call<T>) -> Result<T, Error> {
        let (status, body) = match &self.way {
            Way::Proxy { cluster, port } => {
                let request = copy(call.request());
                let answer = cluster.proxy(port, request, self.limit).await?;
                (answer.status, answer.body.to_vec())
            }
            Way::Address { address, client } => self.send(client, address, call.request()).await?,
        };
        Ok(call.parse(status, &body)?)
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        address: &str,
        request: &Request<Vec<u8>>,
    ) -> Result<(StatusCode, Vec<u8>), Error> {
        let failed = |source| Error::Unreachable { address: address.to_owned(), source };
        let url = format!("{address}{}", request.uri());
        let sent = client
            .request(request.method().clone(), url)
            .headers(request.headers().clone())
            .timeout(self.limit)
            .body(request.body().clone())
            .send()
            .await
            .map_err(failed)?;
        let status = sent.status();
        Ok((status, sent.bytes().await.map_err(failed)?.to_vec()))
    }
}

impl Way {
    fn to(address: String) -> Result<Self, Error> {
        let mut builder =
            reqwest::Client::builder().connect_timeout(Duration::from_secs(15)).no_proxy();
        if address.starts_with("http:") {
            // Reading the system's certificates takes longer than most requests.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|source| Error::Unreachable { address: address.clone(), source })?;
        Ok(Self::Address { address, client })
    }
}

fn copy(request: &Request<Vec<u8>>) -> Request<Vec<u8>> {
    let mut copied = Request::new(request.body().clone());
    *copied.method_mut() = request.method().clone();
    *copied.uri_mut() = request.uri().clone();
    copied.headers_mut().clone_from(request.headers());
    copied
}

/// `rest.retry.max-attempts` times `rest.retry.delay`.
fn patience(configuration: &Configuration) -> Result<Duration, Error> {
    let attempts = configuration.integer(MAX_ATTEMPTS)?.unwrap_or(20);
    if attempts < 0 {
        return Err(Error::Usage(format!(
            "{MAX_ATTEMPTS} is \"{attempts}\": expected a whole number of at least 0"
        )));
    }
    let delay = configuration.duration("rest.retry.delay")?.unwrap_or(Duration::from_secs(3));
    Ok(delay.saturating_mul(attempts.try_into().unwrap_or(u32::MAX)))
}

/// When this much time is over. None if the clock does not go that far: there is no end then.
fn end_of(span: Duration) -> Option<Instant> {
    Instant::now().checked_add(span)
}

/// Whether the end comes before a pause would be over.
fn is_over(end: Option<Instant>, pause: Duration) -> bool {
    end.is_some_and(|end| Instant::now() + pause >= end)
}

fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } => true,
        Error::Flink(error) => error.kind() == Kind::Unavailable,
        Error::Kubernetes(error) => error.kind() == Kind::Unavailable,
        _ => false,
    }
}

/// `-m`, which may be a URL, else `rest.address` and `rest.port`.
fn remote_address(configuration: &Configuration, line: &CommandLine) -> Result<String, Error> {
    let scheme = match configuration.boolean("security.ssl.rest.enabled")? {
        Some(true) => "https",
        _ => "http",
    };
    if let Some(given) = line.value("m") {
        return address_of(given, scheme);
    }
    let host = configuration.string("rest.address")?.ok_or_else(|| {
        Error::Usage(
            "The address of the JobManager is not known: give it with -m host:port, or set rest.address"
                .to_owned(),
        )
    })?;
    let port = configuration.integer("rest.port")?.unwrap_or(8081);
    let path = configuration.string("rest.path")?.unwrap_or_default();
    Ok(format!("{scheme}://{host}:{port}{}", path.trim_end_matches('/')))
}

fn address_of(given: &str, scheme: &str) -> Result<String, Error> {
    let wrong = || {
        Error::Usage(format!(
            "The address of the JobManager (-m) is {given:?}: expected host:port or a URL with a port"
        ))
    };
    let text = if given.contains("://") { given.to_owned() } else { format!("{scheme}://{given}") };
    let url: url::Url = text.parse().map_err(|_| wrong())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    // Ports that belong to the scheme are left out by the library, but were given.
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    if !text.contains(&format!(":{port}")) {
        return Err(wrong());
    }
    Ok(format!("{}://{host}:{port}{}", url.scheme(), url.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_or_a_url() {
        for (given, address) in [
            ("localhost:8081", "http://localhost:8081"),
            ("[::1]:8081", "http://[::1]:8081"),
            ("https://host:443/flink/", "https://host:443/flink"),
        ] {
            assert_eq!(address_of(given, "http").expect(given), address);
        }
        for wrong in ["localhost", "", ":8081", "host:port"] {
            assert!(address_of(wrong, "http").is_err(), "{wrong}");
        }
    }
}
