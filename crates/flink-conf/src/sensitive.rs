/// Parts of a key that make Flink hide the value in its web interface and logs.
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
    PARTS.iter().any(|part| key.contains(part)) && !HARMLESS.iter().any(|part| key.contains(part))
}

/// The value as it may stand in a message.
pub fn shown(key: &str, value: &str) -> String {
    if is_sensitive(key) { "******".to_owned() } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_names_of_secrets_are_not() {
        for hidden in
            ["s3.secret-key", "s3.access-key", "security.ssl.rest.key-password", "x.ApiKey"]
        {
            assert!(is_sensitive(hidden), "{hidden}");
        }
        for shown in ["kubernetes.secrets", "kubernetes.container.image.pull-secrets", "rest.port"]
        {
            assert!(!is_sensitive(shown), "{shown}");
        }
    }
}
