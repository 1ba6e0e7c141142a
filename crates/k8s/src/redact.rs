//! What went wrong with a kubeconfig or with credentials, without what is in them: the client library's
//! texts quote the file around the mistake and the output of the command that makes a token.

use http::Uri;
use kube::{client::AuthError, config::KubeconfigError};

use crate::{error::innermost, renewal::NoToken};

pub(crate) fn kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => {
            let text = error.to_string();
            let place = place(&text).map(|place| format!(" at {place}")).unwrap_or_default();
            format!("it is not the YAML of a kubeconfig{place}")
        }
        other => other.to_string(),
    }
}

/// What a client cannot be made of.
pub(crate) fn client(error: &kube::Error) -> String {
    match error {
        // The library's text has the proxy's password in it.
        kube::Error::ProxyProtocolUnsupported { .. } => {
            "its proxy-url is no proxy: expected http://, https:// or socks5:// and HOST:PORT"
                .to_owned()
        }
        other => innermost(other),
    }
}

/// A proxy without user and password.
pub(crate) fn proxy(proxy: &Uri) -> String {
    let port = proxy.port().map(|port| format!(":{port}")).unwrap_or_default();
    let (scheme, host) = (proxy.scheme_str().unwrap_or_default(), proxy.host().unwrap_or_default());
    format!("{scheme}://{host}{port}")
}

/// Why there are no credentials, if that is what the chain is about; it comes wrapped in several ways.
pub(crate) fn credentials(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(NoToken(problem)) = error.downcast_ref() {
            return Some(problem.clone());
        }
        if let Some(found) = error.downcast_ref::<AuthError>() {
            return Some(match found {
                // Its output holds tokens.
                AuthError::AuthExecRun { out, .. } => {
                    format!("the command that the kubeconfig names ended with {}", out.status)
                }
                other => innermost(other),
            });
        }
        next = error.source();
    }
    None
}

/// `line 3 column 9`, where the text says so.
fn place(text: &str) -> Option<String> {
    let rest = &text[text.find("line ")?..];
    let mut words = rest.split_whitespace();
    let (_, line, word, column) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let column = column.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (word == "column" && number(line) && number(column))
        .then(|| format!("line {line} column {column}"))
}
