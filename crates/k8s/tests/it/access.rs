use std::net::SocketAddr;

use flumen_k8s::{Access, Cluster, Error, Timeouts};
use flumen_model::{Kind, Secret};
use flumen_testkit::TempDirectory;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::fake::{Fake, reply};

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: dev
contexts:
- {name: dev, context: {cluster: c, user: u, namespace: streams}}
- {name: prod, context: {cluster: c, user: u}}
clusters:
- {name: c, cluster: {server: 'http://127.0.0.1:1'}}
users:
- {name: u, user: {token: hunter2}}
";

async fn connect(access: Access) -> Result<Cluster, Error> {
    Cluster::connect("test", &access, Timeouts::default()).await
}

#[tokio::test]
async fn a_context_that_is_not_there_is_refused_with_those_that_are() {
    let directory = TempDirectory::new();
    let path = directory.write("kubeconfig", KUBECONFIG);
    let access = |context: &str| Access::File { path: path.clone(), context: Some(context.into()) };
    assert_eq!(connect(access("prod")).await.unwrap().server(), "http://127.0.0.1:1/");
    let error = connect(access("staging")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the kubeconfig {} has no context \"staging\"; it has dev, prod", path.display())
    );
    assert_eq!(error.kind(), Kind::Invalid);
}

#[tokio::test]
async fn a_kubeconfig_that_is_missing_or_no_kubeconfig_is_refused_by_name() {
    let directory = TempDirectory::new();
    let missing = Access::File { path: directory.join("none"), context: None };
    let error = connect(missing).await.unwrap_err();
    assert!(matches!(error, Error::ReadKubeconfig { .. }), "{error:?}");

    let garbled = Access::File { path: directory.write("bad", "contexts: 7"), context: None };
    let error = connect(garbled).await.unwrap_err();
    assert!(error.to_string().contains("/bad cannot be used"), "{error}");
}

#[tokio::test]
async fn several_files_are_one_kubeconfig_and_those_that_are_missing_are_passed_over() {
    let directory = TempDirectory::new();
    let first = directory.write(
        "first",
        "{apiVersion: v1, kind: Config, current-context: prod, contexts: [], clusters: [], users: []}",
    );
    let second = directory.write("second", KUBECONFIG);
    let paths = vec![directory.join("none"), first, second];
    let access = |context: Option<&str>| Access::Files {
        paths: paths.clone(),
        context: context.map(str::to_owned),
    };
    assert_eq!(connect(access(None)).await.unwrap().server(), "http://127.0.0.1:1/");
    let error = connect(access(Some("staging"))).await.unwrap_err();
    assert!(error.to_string().contains("no context \"staging\"; it has dev, prod"), "{error}");

    let none = Access::Files { paths: vec![directory.join("none")], context: None };
    assert!(matches!(connect(none).await.unwrap_err(), Error::ReadKubeconfig { .. }));
    let nothing =
        Access::Files { paths: vec![directory.join("a"), directory.join("b")], context: None };
    let error = connect(nothing).await.unwrap_err();
    assert!(error.to_string().contains("none of its files is there"), "{error}");
}

#[tokio::test]
async fn nothing_secret_of_a_kubeconfig_is_printed() {
    let access = text(KUBECONFIG);
    assert!(!format!("{access:?}").contains("hunter2"));
    let cluster = connect(access).await.unwrap();
    assert!(!format!("{cluster:?}").contains("hunter2"));

    let error = connect(text(&format!("{KUBECONFIG}  oops"))).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the kubeconfig of cluster test cannot be used: it is not the YAML of a kubeconfig at line 12 column 3"
    );
}

/// A proxy that takes one connection, to wherever it is asked for, to an API server; gives what it was asked.
async fn proxy(to: SocketAddr) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let passing = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(head).unwrap()
    });
    (address, passing)
}

#[tokio::test]
async fn a_proxy_that_the_kubeconfig_names_is_gone_through_with_its_user_and_password() {
    let fake =
        Fake::start(|_, _| reply(200, r#"{"major": "1", "minor": "34", "gitVersion": "v1.34.4"}"#))
            .await;
    let (address, passed) = proxy(fake.address()).await;
    let server =
        format!("{{server: 'http://k8s.invalid:6443', proxy-url: 'http://ann:hunter2@{address}'}}");
    let cluster = connect(text(&KUBECONFIG.replace("{server: 'http://127.0.0.1:1'}", &server)))
        .await
        .unwrap();
    assert_eq!(cluster.check().await.unwrap().git_version, "v1.34.4");
    drop(cluster);
    let head = passed.await.unwrap();
    assert!(head.starts_with("CONNECT k8s.invalid:6443 HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic yw5uomh1bnrlcji="), "{head}");
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_is_named_without_its_password() {
    let server = "{server: 'http://k8s.invalid:6443', proxy-url: 'http://ann:hunter2@127.0.0.1:1'}";
    let cluster =
        connect(text(&KUBECONFIG.replace("{server: 'http://127.0.0.1:1'}", server))).await.unwrap();
    let error = cluster.check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let told = std::error::Error::source(&error).unwrap().to_string();
    assert!(told.contains("by way of the proxy http://127.0.0.1:1: "), "{told}");

    let server = server.replace("http://ann", "socks5h://ann");
    let unusable = connect(text(&KUBECONFIG.replace("{server: 'http://127.0.0.1:1'}", &server)));
    let error = unusable.await.unwrap_err();
    assert!(error.to_string().contains("its proxy-url is no proxy"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

fn text(kubeconfig: &str) -> Access {
    Access::Text { kubeconfig: Secret::new(kubeconfig.into()), context: None }
}
