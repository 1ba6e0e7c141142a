//! Services: by name from another pod, and through the API's proxy.

use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::{Cluster, Place, until};
use crate::pods::{is_ready, once, phase};

pub(crate) const SERVER: &str = "mkdir -p /tmp/www && cd /tmp/www && echo hello from $HOSTNAME > index.html && exec python3 -m http.server 8081";

/// Fetches a page with nothing but bash.
pub(crate) fn fetch(host: &str, port: u16) -> String {
    format!(
        "exec bash -c 'exec 3<>/dev/tcp/{host}/{port} && printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3 && cat <&3'"
    )
}

async fn serving() -> Cluster {
    let cluster = Cluster::start().await;
    let mut server = once(&cluster, "server", SERVER);
    server["metadata"]["labels"] = json!({"app": "web"});
    server["spec"]["containers"][0]["ports"] = json!([{"name": "http", "containerPort": 8081}]);
    cluster.create::<Pod>(server).await;
    for (name, cluster_ip) in [("web", None), ("web-headless", Some("None"))] {
        let spec = json!({"selector": {"app": "web"}, "clusterIP": cluster_ip, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]});
        cluster.create::<Service>(json!({"metadata": {"name": name}, "spec": spec})).await;
    }
    until(&cluster.api::<Pod>(), "server", |found: Option<&Pod>| is_ready(found)).await;
    for name in ["web", "web-headless"] {
        let has_address = |found: Option<&Endpoints>| {
            found.and_then(|found| found.subsets.as_ref()?.first()?.addresses.as_ref()).is_some()
        };
        until(&cluster.api::<Endpoints>(), name, has_address).await;
    }
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_reached_by_its_names_from_another_pod() {
    let cluster = serving().await;
    let pods = cluster.api::<Pod>();
    let places = [
        ("short", "web", 80),
        ("full", "web.default.svc.cluster.local", 80),
        ("headless", "web-headless.default.svc", 8081),
    ];
    for (name, host, port) in places {
        // A server that has only just started may not listen yet.
        let script = format!(
            "for try in $(seq 100); do ({}) && exit 0; sleep 0.1; done; exit 1",
            fetch(host, port)
        );
        cluster.create::<Pod>(once(&cluster, name, &script)).await;
        let ended = until(&pods, name, |found: Option<&Pod>| {
            ["Succeeded", "Failed"].contains(&phase(found))
        })
        .await;
        let log = cluster.log(name).await;
        assert_eq!(phase(ended.as_ref()), "Succeeded", "{host}: {log}");
        assert!(log.contains("hello from server"), "{host}: {log}");
    }
    cluster
        .create::<Pod>(once(
            &cluster,
            "nobody",
            "getent hosts nobody.default.svc.cluster.local; echo $?",
        ))
        .await;
    until(&pods, "nobody", |found: Option<&Pod>| phase(found) == "Succeeded").await;
    assert_eq!(cluster.log("nobody").await, "2\n");
    cluster.stop().await;
}

/// Asks the API for the pods of the own namespace, as a program in a pod does.
const ASK: &str = r#"
import json, os, ssl, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount/"
read = lambda name: open(account + name).read()
address = "https://%s:%s/api/v1/namespaces/%s/pods" % (
    os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"], read("namespace"))
request = urllib.request.Request(address, headers={"Authorization": "Bearer " + read("token")})
answer = urllib.request.urlopen(request, context=ssl.create_default_context(cafile=account + "ca.crt"))
print(" ".join(pod["metadata"]["name"] for pod in json.load(answer)["items"]))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_reaches_the_api_with_the_token_and_the_authority_that_it_is_given() {
    let cluster = Cluster::start().await;
    let metadata = json!({"name": "asking", "namespace": "default"});
    let role = json!({
        "metadata": metadata,
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    });
    cluster.create::<Role>(role).await;
    let binding = json!({
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "asking"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    });
    cluster.create::<RoleBinding>(binding).await;
    let mut pod = once(&cluster, "asking", "");
    pod["spec"]["containers"][0]["command"] = json!(["python3", "-c", ASK]);
    cluster.create::<Pod>(pod).await;
    let ended = |found: Option<&Pod>| ["Succeeded", "Failed"].contains(&phase(found));
    until(&cluster.api::<Pod>(), "asking", ended).await;
    assert_eq!(cluster.log("asking").await, "asking\n");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_reached_through_the_api() {
    let cluster = serving().await;
    let fetched = crate::cluster::eventually("an answer through the proxy", async || {
        let request =
            http::Request::get("/api/v1/namespaces/default/services/web:http/proxy/index.html")
                .body(Vec::new())
                .expect("request");
        cluster.client.request_text(request).await.ok()
    })
    .await;
    assert_eq!(fetched, "hello from server\n");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_reaches_the_host_through_the_door_and_not_without_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = Place::new().with_door(listener.local_addr().expect("an address"));
    let host = tokio::spawn(async move {
        let (mut pod, _) = listener.accept().await.expect("a connection");
        let mut said = [0; 4];
        pod.read_exact(&mut said).await.expect("a request");
        pod.write_all(b"hello from the host\n").await.expect("an answer");
        said
    });
    let cluster = Cluster::start_at(place).await;
    let ended = |found: Option<&Pod>| ["Succeeded", "Failed"].contains(&phase(found));
    cluster.create::<Pod>(once(&cluster, "asking", &fetch("10.96.0.1", 7600))).await;
    until(&cluster.api::<Pod>(), "asking", ended).await;
    assert_eq!(cluster.log("asking").await, "hello from the host\n");
    assert_eq!(&host.await.expect("no panic"), b"GET ");
    cluster.stop().await;

    let cluster = Cluster::start().await;
    cluster.create::<Pod>(once(&cluster, "asking", &fetch("10.96.0.1", 7600))).await;
    let found = until(&cluster.api::<Pod>(), "asking", ended).await;
    assert_eq!(phase(found.as_ref()), "Failed");
    cluster.stop().await;
}
