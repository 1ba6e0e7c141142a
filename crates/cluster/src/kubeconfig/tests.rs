use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flumen_model::CredentialKind;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

/// A certificate and its key.
fn certificate(from: i32, until: i32) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut wanted = CertificateParams::default();
    wanted.distinguished_name.push(DnType::CommonName, "flumen-robot");
    wanted.not_before = date_time_ymd(from, 1, 1);
    wanted.not_after = date_time_ymd(until, 1, 1);
    (wanted.self_signed(&key).expect("signed").pem(), key.serialize_pem())
}

fn kubeconfig(cluster: &Value, user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "eu",
        "contexts": [
            {"name": "eu", "context": {"cluster": "c", "user": "u", "namespace": "flink"}},
            {"name": "us", "context": {"cluster": "c2", "user": "u"}},
        ],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}, {"name": "other", "user": {"token": "of-another"}}],
    })
    .to_string()
}

fn chosen(cluster: &Value, user: &Value) -> Chosen {
    let text = kubeconfig(cluster, user);
    Kubeconfig::parse("kc", &text).expect("a kubeconfig").choose(None).expect("its context")
}

fn server() -> Value {
    json!({"server": "https://k8s.example.com:6443"})
}

fn portable(user: &Value) -> Result<Portable, Error> {
    chosen(&server(), user).portable(now())
}

fn refused(cluster: &Value, user: &Value) -> String {
    chosen(cluster, user).portable(now()).expect_err("refused").to_string()
}

fn jwt(claims: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn what_is_no_kubeconfig_is_refused_with_the_place_and_without_its_content() {
    let refused = |text: &str| Kubeconfig::parse("kc", text).err().expect("refused").to_string();
    assert_eq!(
        refused("contexts: []\nusers:\n- {name: u, user: {token: hunter2}\nx: ["),
        "the kubeconfig kc cannot be used: it is not the YAML of a kubeconfig (line 4, column 4)"
    );
    assert_eq!(refused(""), "the kubeconfig kc cannot be used: it is empty");
    assert_eq!(
        refused("a: 7"),
        "the kubeconfig kc cannot be used: it has no contexts and no clusters"
    );
    let large = format!("contexts: [{}]", "a, ".repeat(LIMIT));
    assert!(refused(&large).contains("more than"), "too large");
}

#[test]
fn a_context_that_is_not_there_is_named_with_those_that_are() {
    let whole = Kubeconfig::parse("kc", &kubeconfig(&server(), &json!({}))).expect("a kubeconfig");
    let told = |context| whole.choose(Some(context)).err().expect("refused").to_string();
    assert_eq!(told("asia"), "the kubeconfig kc has no context \"asia\"; it has eu, us");
    assert_eq!(
        told("us"),
        "the kubeconfig kc cannot be used: its context \"us\" names the cluster \"c2\", which is not in it"
    );
    let none = Kubeconfig::parse("kc", "contexts: []").expect("a kubeconfig");
    let told = none.choose(None).err().expect("refused").to_string();
    assert!(told.contains("it has no current-context, and none is named"), "{told}");
}

#[test]
fn files_are_named_and_their_content_takes_their_place() {
    let (pem, key) = certificate(2026, 2030);
    let mut one = chosen(
        &json!({"server": "https://k8s.example.com", "certificate-authority": "ca.crt"}),
        &json!({"client-certificate": "/pki/me.crt", "client-key": "me.key"}),
    );
    let files: Vec<_> = one.files().into_iter().map(|file| (file.field, file.path)).collect();
    let expected = [
        ("certificate-authority", "ca.crt"),
        ("client-certificate", "/pki/me.crt"),
        ("client-key", "me.key"),
    ];
    assert_eq!(files, expected.map(|(field, path)| (field, path.to_owned())));
    let told = one.clone().portable(now()).expect_err("files").to_string();
    assert_eq!(
        told,
        "certificate-authority of the kubeconfig kc (context eu) names a file, which only the machine that the kubeconfig is on can read"
    );
    one.inline("certificate-authority", pem.as_bytes()).expect("taken");
    one.inline("client-certificate", pem.as_bytes()).expect("taken");
    one.inline("client-key", key.as_bytes()).expect("taken");
    let portable = one.portable(now()).expect("portable");
    assert!(!portable.text.expose().contains("/pki/me.crt"));
    let access = portable.access;
    assert_eq!(access.credentials, Some(CredentialKind::ClientCertificate));
    assert_eq!(access.account.as_deref(), Some("flumen-robot"));
    assert_eq!(access.expires.map(|end| end.to_string()).as_deref(), Some("2030-01-01T00:00:00Z"));
    assert!(access.private_authority);
    // It is read again as it is stored.
    let again = Kubeconfig::parse("of cluster eu", portable.text.expose()).expect("a kubeconfig");
    let again = again.choose(None).expect("its context").portable(now()).expect("portable");
    assert_eq!(again.text, portable.text);
}

#[test]
fn only_the_context_that_is_meant_is_taken_along() {
    let mut one = chosen(&server(), &json!({"tokenFile": "token"}));
    assert_eq!(one.files(), [FileField { field: "tokenFile", path: "token".to_owned() }]);
    one.inline("tokenFile", b"abc\n").expect("taken");
    let portable = one.portable(now()).expect("portable");
    assert!(portable.text.expose().contains("\"abc\""), "without the end of the line");
    assert!(!portable.text.expose().contains("of-another"));
    assert!(!portable.text.expose().contains("namespace"), "jobs have those of environments");
    assert!(!format!("{portable:?}").contains("abc"));
}

#[test]
fn each_kind_of_credentials_is_known_and_nothing_secret_of_it_is_shown() {
    let later = jwt(&json!({"sub": "system:serviceaccount:flumen:flumen", "exp": 1_800_000_000}));
    for (user, kind, account, expires) in [
        (json!({"token": "hunter2"}), CredentialKind::Token, None, None),
        (
            json!({"token": later}),
            CredentialKind::Token,
            Some("system:serviceaccount:flumen:flumen"),
            Some("2027-01-15T08:00:00Z"),
        ),
        (
            json!({"username": "ann", "password": "hunter2"}),
            CredentialKind::Password,
            Some("ann"),
            None,
        ),
        (
            json!({"exec": {"command": "aws", "args": ["eks", "get-token"], "env": [{"name": "AWS_PROFILE", "value": "hunter2"}]}}),
            CredentialKind::Command,
            Some("aws"),
            None,
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {
                "client-id": "kube", "client-secret": "hunter2", "idp-issuer-url": "https://id.example.com",
                "refresh-token": "hunter2", "id-token": jwt(&json!({"sub": "ann", "exp": 1}))}}}),
            CredentialKind::Oidc,
            Some("https://id.example.com"),
            None,
        ),
        (json!({}), CredentialKind::None, None, None),
    ] {
        let found = portable(&user).unwrap_or_else(|error| panic!("{user}: {error}"));
        let access = &found.access;
        assert_eq!(access.credentials, Some(kind), "{user}");
        assert_eq!(access.account.as_deref(), account, "{user}");
        let end = access.expires.map(|end| end.to_string());
        assert_eq!(end.as_deref(), expires, "{user}");
        let shown = format!("{:?} {:?}", access, found.notes);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(found.command.as_deref(), user["exec"]["command"].as_str());
    }
}

#[test]
fn a_field_that_is_empty_does_not_count_before_one_that_is_not() {
    let user = json!({"token": "", "username": "", "password": "", "as": null, "exec": {"command": "aws"}});
    let found = portable(&user).expect("portable");
    assert_eq!(found.access.credentials, Some(CredentialKind::Command));
    for field in ["token", "username", "password", "as"] {
        let stored = format!("\"{field}\"");
        assert!(!found.text.expose().contains(&stored), "{field} is stored");
    }
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_refused_by_name_and_without_its_value() {
    let (good, key) = certificate(2026, 2030);
    let (old, old_key) = certificate(2020, 2021);
    let (late, late_key) = certificate(2028, 2030);
    let data = |text: &str| STANDARD.encode(text);
    let user = |certificate: &str, key: &str| json!({"client-certificate-data": data(certificate), "client-key-data": data(key)});
    for (user, expected) in [
        (
            user(&old, &old_key),
            "client-certificate-data of the kubeconfig kc (context eu) ended at 2021-01-01T00:00:00Z: get a new one",
        ),
        (
            user(&late, &late_key),
            "client-certificate-data of the kubeconfig kc (context eu) is good from 2028-01-01T00:00:00Z on only",
        ),
        (
            user("hunter2", &key),
            "client-certificate-data of the kubeconfig kc (context eu) has no certificate in it",
        ),
        (
            user(&good, "hunter2"),
            "client-key-data of the kubeconfig kc (context eu) has no private key in it",
        ),
        (
            user(
                &good,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGk=\n-----END ENCRYPTED PRIVATE KEY-----\n",
            ),
            "client-key-data of the kubeconfig kc (context eu) has a password",
        ),
        (
            json!({"client-certificate-data": "%%", "client-key-data": data(&key)}),
            "client-certificate-data of the kubeconfig kc (context eu) is not base64",
        ),
        (
            json!({"client-certificate-data": data(&good)}),
            "client-certificate-data of the kubeconfig kc (context eu) has no key beside it",
        ),
        (
            json!({"client-key-data": data(&key)}),
            "client-key-data of the kubeconfig kc (context eu) has no certificate beside it",
        ),
    ] {
        let told = refused(&server(), &user);
        assert!(told.starts_with(expected), "{told}\n{expected}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn other_credentials_that_cannot_be_used_are_refused_by_name_and_without_their_value() {
    let expired = jwt(&json!({"exp": 1_500_000_000}));
    for (user, expected) in [
        (
            json!({"token": 12345}),
            "token of the kubeconfig kc (context eu) is no text; put it in quotes",
        ),
        (json!({"token": "hunter2 x"}), "token of the kubeconfig kc (context eu) has a blank"),
        (
            json!({"token": expired}),
            "token of the kubeconfig kc (context eu) ended at 2017-07-14T02:40:00Z",
        ),
        (
            json!({"exec": {"args": []}}),
            "exec.command of the kubeconfig kc (context eu) is missing",
        ),
        (
            json!({"exec": {"command": "x", "interactiveMode": "Always"}}),
            "exec.interactiveMode of the kubeconfig kc (context eu) is Always",
        ),
        (
            json!({"exec": {"command": "x", "env": [{"name": "LD_PRELOAD", "value": "hunter2"}]}}),
            "exec.env of the kubeconfig kc (context eu) sets LD_PRELOAD, by which another program",
        ),
        (
            json!({"exec": {"command": "x", "env": [{"name": "PATH=/tmp:", "value": "hunter2"}]}}),
            "exec.env of the kubeconfig kc (context eu) sets \"PATH=/tmp:\", which is no variable",
        ),
        (
            json!({"exec": {"command": "x", "env": [{"name": "BASH_FUNC_cat%%", "value": "hunter2"}]}}),
            "exec.env of the kubeconfig kc (context eu) sets \"BASH_FUNC_cat%%\", which is no variable",
        ),
        (
            json!({"exec": {"command": "x", "env": [{"name": "AWS_CONFIG_FILE", "value": "hunter2"}]}}),
            "exec.env of the kubeconfig kc (context eu) sets AWS_CONFIG_FILE, by which another program",
        ),
        (
            json!({"exec": {"command": "x", "env": [{"name": "PYTHONPATH", "value": "hunter2"}]}}),
            "exec.env of the kubeconfig kc (context eu) sets PYTHONPATH, by which another program",
        ),
        (
            json!({"exec": {"command": "x", "args": ["hunter2", 8080]}}),
            "exec.args of the kubeconfig kc (context eu) is no list of texts; put each in quotes",
        ),
        (
            json!({"token": "t", "as": "ann", "as-groups": "hunter2"}),
            "as-groups of the kubeconfig kc (context eu) is no list of texts",
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {"client-id": 7}}}),
            "auth-provider.client-id of the kubeconfig kc (context eu) is no text",
        ),
        (
            json!({"auth-provider": {"name": "gcp"}}),
            "auth-provider of the kubeconfig kc (context eu) is \"gcp\", which is not supported",
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {"client-id": "a"}}}),
            "auth-provider.id-token of the kubeconfig kc (context eu) is missing",
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {"id-token": "hunter2"}}}),
            "auth-provider.id-token of the kubeconfig kc (context eu) does not say when it ends",
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {"idp-issuer-url": "http://id"}}}),
            "auth-provider.idp-issuer-url of the kubeconfig kc (context eu) does not begin with https://",
        ),
        (
            // Nothing renews it without a secret.
            json!({"auth-provider": {"name": "oidc", "config": {
                "client-id": "a", "idp-issuer-url": "https://id", "refresh-token": "hunter2",
                "id-token": jwt(&json!({"exp": 1}))}}}),
            "auth-provider.id-token of the kubeconfig kc (context eu) ended at",
        ),
    ] {
        let told = refused(&server(), &user);
        assert!(told.starts_with(expected), "{told}\n{expected}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_server_that_cannot_be_used_is_refused_by_name_and_without_what_is_secret_in_it() {
    let (old, _) = certificate(2020, 2021);
    let old = STANDARD.encode(old);
    for (cluster, expected) in [
        (json!({}), "server of the kubeconfig kc (context eu) is missing"),
        (
            json!({"server": "k8s.example.com"}),
            "server of the kubeconfig kc (context eu) is no address",
        ),
        (
            json!({"server": "https://ann:hunter2@k8s.example.com"}),
            "server of the kubeconfig kc (context eu) has a user or password in it",
        ),
        (
            json!({"server": "https://h", "insecure-skip-tls-verify": "yes"}),
            "insecure-skip-tls-verify of the kubeconfig kc (context eu) is neither true nor false",
        ),
        (
            json!({"server": "https://h", "proxy-url": "ftp://hunter2@h"}),
            "proxy-url of the kubeconfig kc (context eu) is no proxy",
        ),
        (
            json!({"server": "https://h", "proxy-url": "socks5h://ann:hunter2@h"}),
            "proxy-url of the kubeconfig kc (context eu) is no proxy",
        ),
        (
            json!({"server": "https://h", "certificate-authority-data": old}),
            "certificate-authority-data of the kubeconfig kc (context eu) ended at",
        ),
    ] {
        let told = refused(&cluster, &json!({"token": "t"}));
        assert!(told.starts_with(expected), "{told}\n{expected}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_proxy_is_shown_without_user_and_password() {
    let cluster = json!({"server": "https://h", "proxy-url": "http://ann:hunter2@proxy:3128"});
    let found = chosen(&cluster, &json!({"token": "t"})).portable(now()).expect("portable");
    assert_eq!(found.access.proxy.as_deref(), Some("http://proxy:3128"));
    assert!(found.text.expose().contains("ann:hunter2@proxy"));
}
