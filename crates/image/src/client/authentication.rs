//! Who we are: the answer to a registry's challenge, and the tokens that it gave.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flumen_model::Secret;
use http::{HeaderMap, Method, StatusCode, header::WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use super::{
    call::{Call, Scope},
    transport::{Transport, reach, read_body, understand},
};
use crate::{Credential, Error, reference::is_loopback};

/// A token whose end comes within this time is not used any more.
const MARGIN: Duration = Duration::from_secs(10);
/// What the specification says for a token that does not say.
const DEFAULT_LIFE: u64 = 60;
const LONGEST_ANSWER: usize = 1024 * 1024;

#[derive(Default)]
pub(super) struct Tokens {
    bearer: HashMap<(String, Scope), Token>,
    /// Registries that asked for a user name and password at each request.
    basic: HashMap<String, String>,
}

struct Token {
    header: String,
    until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<u64>,
}

impl Transport {
    /// The `Authorization` header that an earlier call of this scope was accepted with.
    pub(super) fn known_authorization(&self, call: &Call<'_>) -> Option<String> {
        if let Some(Credential::Bearer(token)) = self.settings().credentials.get(call.registry) {
            return Some(format!("Bearer {}", token.expose()));
        }
        let tokens = self.tokens.lock().ok()?;
        if let Some(header) = tokens.basic.get(call.registry) {
            return Some(header.clone());
        }
        let token = tokens.bearer.get(&(call.registry.to_owned(), call.scope.clone()))?;
        (token.until > Instant::now()).then(|| token.header.clone())
    }

    /// Answers the challenge of a 401 with an `Authorization` header.
    pub(super) async fn authorize(
        &self,
        call: &Call<'_>,
        headers: &HeaderMap,
        was_authorized: bool,
    ) -> Result<String, Error> {
        let credential = self.settings().credentials.get(call.registry);
        if was_authorized && matches!(credential, Some(Credential::Bearer(_))) {
            return Err(denied(call, "it does not accept the token given"));
        }
        let challenges =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = challenges
            .filter_map(Challenge::parse)
            .max_by_key(|challenge| matches!(challenge, Challenge::Bearer { .. }))
            .ok_or_else(|| understand(call, "it answered 401 without saying how to log in"))?;
        match challenge {
            Challenge::Basic if was_authorized => {
                Err(denied(call, "it does not accept the user name and password given"))
            }
            Challenge::Basic => {
                let Some(Credential::Basic { username, password }) = credential else {
                    return Err(denied(
                        call,
                        "it wants a user name and password and none are configured for it",
                    ));
                };
                let header = basic_header(username, password);
                if let Ok(mut tokens) = self.tokens.lock() {
                    tokens.basic.insert(call.registry.to_owned(), header.clone());
                }
                Ok(header)
            }
            Challenge::Bearer { realm, service, scope } => {
                let scopes =
                    if call.scope.names().is_empty() { scope } else { call.scope.names().to_vec() };
                self.fetch_token(call, &realm, service.as_deref(), &scopes).await
            }
        }
    }

    async fn fetch_token(
        &self,
        call: &Call<'_>,
        realm: &str,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<String, Error> {
        let credential = self.settings().credentials.get(call.registry);
        let url = Url::parse(realm)
            .map_err(|_| understand(call, format!("its token server {realm:?} is no URL")))?;
        let host = url.host_str().unwrap_or_default();
        if credential.is_some()
            && url.scheme() != "https"
            && !is_loopback(host)
            && !self.is_plain(call.registry)
        {
            return Err(denied(
                call,
                &format!("its token server {host} would get the password without encryption"),
            ));
        }
        let request = token_request(self.http(&url)?, url, credential, service, scopes);
        let asked = Instant::now();
        let response = request.send().await.map_err(|source| reach(call, source))?;
        let status = response.status();
        let is_busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        if status.is_client_error() && !is_busy {
            let who = if credential.is_some() {
                "the credentials given"
            } else {
                "anonymous users; none are configured for it"
            };
            return Err(denied(
                call,
                &format!("its token server answered {status}: it does not accept {who}"),
            ));
        }
        if !status.is_success() {
            let step = format!("give a token to {}", call.step);
            return Err(Error::Refused {
                registry: call.registry.to_owned(),
                step,
                status,
                detail: String::new(),
            });
        }
        let body = read_body(call, response, LONGEST_ANSWER).await?;
        let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_| {
            understand(call, "its token server's answer is not the JSON it should be")
        })?;
        let token = answer
            .token
            .or(answer.access_token)
            .ok_or_else(|| understand(call, "its token server gave no token"))?;
        let header = format!("Bearer {}", token.expose());
        let life =
            Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE)).saturating_sub(MARGIN);
        if let Some(until) = asked.checked_add(life)
            && let Ok(mut tokens) = self.tokens.lock()
        {
            tokens.bearer.retain(|_, token| token.until > asked);
            let key = (call.registry.to_owned(), call.scope.clone());
            tokens.bearer.insert(key, Token { header: header.clone(), until });
        }
        Ok(header)
    }
}

fn token_request(
    http: &reqwest::Client,
    url: Url,
    credential: Option<&Credential>,
    service: Option<&str>,
    scopes: &[String],
) -> reqwest::RequestBuilder {
    if let Some(Credential::IdentityToken(token)) = credential {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "flumen")
            .append_pair("refresh_token", token.expose())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("service", service.unwrap_or_default());
        return http
            .request(Method::POST, url)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
    }
    let mut url = url;
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        for scope in scopes {
            query.append_pair("scope", scope);
        }
    }
    let request = http.get(url);
    match credential {
        Some(Credential::Basic { username, password }) => {
            request.header(http::header::AUTHORIZATION, basic_header(username, password))
        }
        _ => request,
    }
}

fn basic_header(username: &str, password: &Secret) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
}

pub(super) fn denied(call: &Call<'_>, problem: &str) -> Error {
    Error::Authenticate { registry: call.registry.to_owned(), problem: problem.to_owned() }
}

/// How a registry wants us to log in.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Vec<String> },
}

impl Challenge {
    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters: HashMap<String, String> = parameters(rest).collect();
        Some(Self::Bearer {
            realm: parameters.remove("realm")?,
            service: parameters.remove("service"),
            scope: parameters.remove("scope").map(|scope| vec![scope]).unwrap_or_default(),
        })
    }
}

/// The `name="value"` pairs of a challenge; a value in quotes may hold commas.
fn parameters(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        rest = next.trim_start().trim_start_matches(',');
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_may_have_commas_within_quotes() {
        let header = r#"Bearer realm="https://auth.example/token",service="r.example", scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: Some("r.example".into()),
            scope: vec!["repository:a/b:pull,push".into()],
        };
        assert_eq!(Challenge::parse(header), Some(expected));
    }

    #[test]
    fn other_schemes_and_a_bearer_without_a_realm_are_no_challenge() {
        assert_eq!(Challenge::parse(r#"basic realm="x""#), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Basic"), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }
}
