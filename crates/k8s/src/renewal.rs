//! A token that a command makes, and makes anew when it ends or the API server takes it no more.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use jiff::Timestamp;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, DynBody},
};
use tokio::{sync::Mutex, time::Instant};
use tower::{
    BoxError, ServiceExt as _, buffer::Buffer, layer::layer_fn, service_fn, util::BoxCloneService,
};

use crate::{clock, command::Command};

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(10);
/// A token that is refused sooner than this after it was made is not made anew: the next would be refused as well.
const YOUNG: Duration = Duration::from_secs(10);
/// How long a command that failed is not run again.
const PAUSE: Duration = Duration::from_secs(2);
/// As many requests as the client library lets wait for the connection.
const WAITING: usize = 1024;

/// Why there is no token.
#[derive(Debug, Clone)]
pub(crate) struct NoToken(pub(crate) String);

impl fmt::Display for NoToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for NoToken {}

/// A token as the header that shows it.
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    pub(crate) until: Option<Timestamp>,
}

pub(crate) struct Renewal {
    command: Command,
    held: Mutex<Held>,
}

struct Held {
    token: Token,
    made: Instant,
    failed: Option<(Instant, NoToken)>,
}

impl Held {
    fn is_over(&self) -> bool {
        let used_until = clock::now().checked_add(EARLY);
        self.token.until.is_some_and(|until| used_until.is_ok_and(|now| now >= until))
    }

    fn is_refused(&self, refused: Option<&HeaderValue>) -> bool {
        refused == Some(&self.token.header) && self.made.elapsed() >= YOUNG
    }
}

impl Renewal {
    pub(crate) fn new(command: Command, token: Token) -> Self {
        let held = Mutex::new(Held { token, made: Instant::now(), failed: None });
        Self { command, held }
    }

    /// The token, or another than the one that was refused. Whoever asks may go away meanwhile: what the command makes is
    /// for the next.
    async fn token(self: Arc<Self>, refused: Option<HeaderValue>) -> Result<HeaderValue, NoToken> {
        let made = tokio::spawn(async move { self.made(refused.as_ref()).await });
        made.await.unwrap_or_else(|error| Err(NoToken(error.to_string())))
    }

    async fn made(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, NoToken> {
        let mut held = self.held.lock().await;
        if !held.is_over() && !held.is_refused(refused) {
            return Ok(held.token.header.clone());
        }
        if let Some((at, problem)) = &held.failed
            && at.elapsed() < PAUSE
        {
            return Err(problem.clone());
        }
        match made_by(&self.command).await {
            Ok(token) => {
                *held = Held { token, made: Instant::now(), failed: None };
                Ok(held.token.header.clone())
            }
            Err(problem) => {
                held.failed = Some((Instant::now(), problem.clone()));
                Err(problem)
            }
        }
    }
}

async fn made_by(command: &Command) -> Result<Token, NoToken> {
    let given = command.run().await.map_err(NoToken)?;
    let (Some(token), None) = (&given.token, &given.certificate) else {
        let problem =
            "the command that the kubeconfig names gave a certificate, and a token before";
        return Err(NoToken(problem.to_owned()));
    };
    Ok(Token { header: bearer(token.expose()), until: given.until })
}

/// A header with a token of visible characters.
pub(crate) fn bearer(token: &str) -> HeaderValue {
    let mut header =
        HeaderValue::try_from(format!("Bearer {token}")).expect("only visible characters");
    header.set_sensitive(true);
    header
}

type Answer = Response<Box<DynBody>>;
type Inner = BoxCloneService<Request<Body>, Answer, BoxError>;

/// A client each of whose requests shows the token of then.
pub(crate) fn client(config: Config, renewal: &Arc<Renewal>) -> kube::Result<Client> {
    let shown = layer_fn(|service| {
        let inner = Inner::new(Buffer::new(service, WAITING));
        let renewal = Arc::clone(renewal);
        service_fn(move |request| send(Arc::clone(&renewal), inner.clone(), request))
    });
    Ok(ClientBuilder::try_from(config)?.with_layer(&shown).build())
}

/// Sends a request, once more where it was refused for its token: then nothing was done.
async fn send(
    renewal: Arc<Renewal>,
    inner: Inner,
    request: Request<Body>,
) -> Result<Answer, BoxError> {
    let token = Arc::clone(&renewal).token(None).await?;
    let (parts, body) = request.into_parts();
    let again = body.try_clone().map(|body| (parts.clone(), body));
    let answer = inner.clone().oneshot(with(parts, body, &token)).await?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return Ok(answer);
    }
    let Some((parts, body)) = again else { return Ok(answer) };
    let next = renewal.token(Some(token.clone())).await?;
    if next == token {
        return Ok(answer);
    }
    inner.oneshot(with(parts, body, &next)).await
}

fn with(mut parts: Parts, body: Body, token: &HeaderValue) -> Request<Body> {
    parts.headers.insert(AUTHORIZATION, token.clone());
    Request::from_parts(parts, body)
}
