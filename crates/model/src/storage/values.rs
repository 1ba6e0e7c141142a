use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $fault:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                $fault(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

text! {
    /// The name of a Secret, a `ConfigMap` or a persistent volume claim.
    ObjectName, object_name
}
text! {
    /// The name of an entry of a Secret.
    SecretEntry, secret_entry
}
text! {
    /// A region, such as `eu-central-1`.
    Region, region
}
text! {
    /// The address of a server of a storage: `https://HOST`, with a port if need be. Nothing secret is in it.
    StorageEndpoint, endpoint
}

impl SecretEntry {
    pub(super) fn access_key() -> Self {
        Self("access-key".to_owned())
    }

    pub(super) fn secret_key() -> Self {
        Self("secret-key".to_owned())
    }
}

impl StorageEndpoint {
    /// Whether requests to it are not encrypted.
    pub fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }
}

fn object_name(text: &str) -> Result<(), InvalidValue> {
    let part = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && part.starts_with(|one: char| one.is_ascii_alphanumeric())
            && part.ends_with(|one: char| one.is_ascii_alphanumeric())
    };
    if text.len() <= 253 && text.split('.').all(part) {
        return Ok(());
    }
    let allowed = "use at most 253 lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit";
    Err(InvalidValue::new("name of an object in the cluster", text, allowed))
}

fn secret_entry(text: &str) -> Result<(), InvalidValue> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=253).contains(&text.len()) && text.bytes().all(is_allowed) && !text.starts_with("..") {
        return Ok(());
    }
    let allowed = "use at most 253 letters, digits, '-', '_' and '.'";
    Err(InvalidValue::new("entry of a Secret", text, allowed))
}

fn region(text: &str) -> Result<(), InvalidValue> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=63).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(InvalidValue::new("region", text, "expected one such as eu-central-1"))
}

fn endpoint(text: &str) -> Result<(), InvalidValue> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (user, host) =
        rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let host = host.trim_end_matches('/');
    let plain = host.split(['/', '?', '#']).next().unwrap_or_default();
    // What may be secret is not repeated.
    let hidden = if user.is_some() { "…@" } else { "" };
    let shown = format!("{scheme}://{hidden}{plain}");
    let refuse = |allowed: &str| Err(InvalidValue::new("endpoint of a storage", &shown, allowed));
    if user.is_some() {
        return refuse(
            "an address is no place for keys or passwords; leave them out, and name the Secret that has them under `credentials`",
        );
    }
    if !matches!(scheme, "http" | "https") {
        return refuse("expected https://HOST or http://HOST, with a port if need be");
    }
    if plain != host || text.ends_with('/') {
        return refuse(
            "it is the address of the server alone, without a path, a slash at the end or parameters; bucket and prefix stand in `place`",
        );
    }
    let (name, port) = match plain.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':').or((!port.is_empty()).then_some(""))),
        None => plain.split_once(':').map_or((plain, None), |(name, port)| (name, Some(port))),
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if name.is_empty() || !name.bytes().all(is_allowed) || !is_port {
        return refuse("expected a host name or address, and a port from 1 to 65535 if any");
    }
    Ok(())
}
