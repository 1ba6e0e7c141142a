use flumen_k8s::{Access, Cluster, Error, Timeouts};
use flumen_model::{Kind, Secret};
use flumen_testkit::TempDirectory;

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
async fn nothing_of_a_kubeconfig_is_printed() {
    let access = Access::Text { kubeconfig: Secret::new(KUBECONFIG.into()), context: None };
    assert!(!format!("{access:?}").contains("hunter2"));
    let cluster = connect(access).await.unwrap();
    assert!(!format!("{cluster:?}").contains("hunter2"));
}
