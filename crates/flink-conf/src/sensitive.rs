/// What a value is shown as that must not be.
pub const HIDDEN: &str = "******";

/// Parts of a key that make Flink hide the value in its web interface and logs: all that some version has, whatever the version
/// of the job, and access keys of storages, which come with a secret.
const PARTS: [&str; 12] = [
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
    "access-key",
];

/// Keys that merely speak of secrets: names of Kubernetes Secrets, lifetimes of tokens.
const HARMLESS: [&str; 4] =
    ["kubernetes.secrets", "kubernetes.env.secretkeyref", "pull-secrets", "delegation.token"];

/// Whether the value of `key` must not be shown: Flink's own list, and access keys of storages.
pub fn is_sensitive(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // What is harmless is only this part: a provider of delegation tokens has a secret key.
    let rest = HARMLESS.iter().fold(key, |key, part| key.replace(part, ""));
    PARTS.iter().any(|part| rest.contains(part))
}

/// The value as it may stand in a message.
pub fn shown(key: &str, value: &str) -> String {
    if is_sensitive(key) { HIDDEN.to_owned() } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_names_of_secrets_are_not() {
        for hidden in [
            "s3.secret-key",
            "s3.access-key",
            "security.ssl.rest.key-password",
            "x.ApiKey",
            "security.delegation.token.provider.s3-hadoop.secret-key",
        ] {
            assert!(is_sensitive(hidden), "{hidden}");
        }
        for shown in [
            "kubernetes.secrets",
            "kubernetes.container.image.pull-secrets",
            "security.delegation.tokens.enabled",
            "rest.port",
        ] {
            assert!(!is_sensitive(shown), "{shown}");
        }
    }

    /// `GlobalConfiguration.SENSITIVE_KEYS` of the published `flink-core` of each minor, from its byte code.
    const OF_FLINK: [(&[&str], &[&str]); 4] = [
        (
            &["1.11", "1.12", "1.13", "1.14", "1.15", "1.16"],
            &["password", "secret", "fs.azure.account.key", "apikey"],
        ),
        (&["1.17", "1.18"], &["auth-params", "service-key", "token", "basic-auth", "jaas.config"]),
        (&["1.19", "1.20", "2.0"], &["http-headers"]),
        (&["2.1", "2.2", "2.3"], &["api-key"]),
    ];

    #[test]
    fn what_any_flink_hides_is_hidden() {
        for (minors, added) in OF_FLINK {
            for part in added {
                assert!(is_sensitive(&format!("x.{part}.y")), "{part} of {minors:?}");
            }
        }
        let all = OF_FLINK.iter().flat_map(|(_, added)| *added).count();
        assert_eq!(PARTS.len(), all + 1, "of our own there are only access keys");
    }
}
