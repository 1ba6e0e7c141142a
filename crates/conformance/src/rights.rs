//! Whether an account to which `flumen cluster rbac` gave its rights has what `flumen cluster check` asks for and nothing
//! more, and whether each right that is taken away from it is named.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_cluster::{
    Kubeconfig,
    manifest::{self, Account, Place},
    rights::{Permission, Who, permissions},
};
use flumen_k8s::{Access, Cluster, Timeouts};
use flumen_model::Namespace;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Target;

const ACCOUNT: &str = "flumen";
const FLINK_ACCOUNT: &str = "flink";
/// The API server hears of a changed role a moment later.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// How many rights were taken away and missed, one by one.
///
/// # Errors
/// If the account has more or less than it should, or a right that is missing is not named.
pub async fn rights(target: &Target) -> Result<usize> {
    let admin = Admin { http: target.client()?, target };
    let namespace: Namespace = "flumen-rights".parse().context("a namespace")?;
    let home: Namespace = "flumen-account".parse().context("a namespace")?;
    let account = Account::Service { namespace: home.clone(), name: ACCOUNT.to_owned() };
    let place = Place {
        namespace: namespace.clone(),
        accounts: vec![FLINK_ACCOUNT.to_owned()],
        host_network: true,
    };
    let objects = manifest::objects(&account, &[place]);
    for object in &objects {
        admin.ask(Method::POST, &collection(object)?, object).await?;
    }
    let token = format!("/api/v1/namespaces/{home}/serviceaccounts/{ACCOUNT}/token");
    let answer = admin.ask(Method::POST, &token, &json!({"spec": {}})).await?;
    let token = answer["status"]["token"].as_str().context("no token")?;
    let cluster = connect(target, token).await?;
    let look = Look { cluster: &cluster, namespace: &namespace };
    for who in [Who::Flumen, Who::Flink] {
        look.until(who, &[]).await?;
    }
    nothing_more(&admin, token, &namespace).await?;

    let mut count = 0;
    for role in objects.iter().filter(|object| object["kind"] == "Role") {
        let who = if role["metadata"]["name"] == "flumen" { Who::Flumen } else { Who::Flink };
        let path = format!("{}/{}", collection(role)?, text(&role["metadata"]["name"])?);
        for permission in permissions(who, true) {
            admin.ask(Method::PUT, &path, &without(role, &permission)).await?;
            look.until(who, &[permission]).await?;
            count += 1;
        }
        admin.ask(Method::PUT, &path, role).await?;
        look.until(who, &[]).await?;
    }
    Ok(count)
}

struct Admin<'a> {
    http: reqwest::Client,
    target: &'a Target,
}

impl Admin<'_> {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        self.ask_as(&self.target.token, (method, path), body).await
    }

    async fn ask_as(
        &self,
        token: &str,
        (method, path): (Method, &str),
        body: &Value,
    ) -> Result<Value> {
        let url = format!("{}{path}", self.target.url);
        let request = self.http.request(method.clone(), url).bearer_auth(token).json(body);
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let body: Value = answer.json().await.with_context(|| format!("{method} {path}"))?;
        ensure!(status.is_success(), "{method} {path} is answered {status}: {body}");
        Ok(body)
    }
}

/// As `flumen cluster add` and the server do it.
async fn connect(target: &Target, token: &str) -> Result<Cluster> {
    let authority = STANDARD.encode(&target.authority);
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": target.url, "certificate-authority-data": authority}}],
        "users": [{"name": "u", "user": {"token": token}}],
    });
    let chosen = Kubeconfig::parse("of the account", &text.to_string())?.choose(None)?;
    // Whether the token is good now is for the API server to say.
    let portable = chosen.portable(jiff::Timestamp::UNIX_EPOCH)?;
    let access = Access::Text { kubeconfig: portable.text, context: None };
    Ok(Cluster::connect("real", &access, Timeouts::default()).await?)
}

struct Look<'a> {
    cluster: &'a Cluster,
    namespace: &'a Namespace,
}

impl Look<'_> {
    /// Waits until just these are said to be missing.
    async fn until(&self, who: Who, wanted: &[Permission]) -> Result<()> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let missing = match who {
                Who::Flumen => self.cluster.missing_permissions(self.namespace).await,
                Who::Flink => {
                    self.cluster.missing_permissions_of(self.namespace, FLINK_ACCOUNT, true).await
                }
            };
            match missing {
                Ok(missing) if missing == wanted => return Ok(()),
                Ok(missing) if tokio::time::Instant::now() > end => {
                    bail!("{who:?} should lack {wanted:?} and lacks {missing:?}");
                }
                Err(error) if tokio::time::Instant::now() > end => return Err(error.into()),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// The API server itself lists what the account may do; what everyone may is left out.
async fn nothing_more(admin: &Admin<'_>, token: &str, namespace: &Namespace) -> Result<()> {
    const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let body = json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": {"namespace": namespace.as_str()}});
    let answer = admin.ask_as(token, (Method::POST, PATH), &body).await?;
    let mut found = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().context("no rules")? {
        let all = |field: &str| -> Vec<String> {
            let texts = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        for resource in all("resources").iter().filter(|one| !one.starts_with("selfsubject")) {
            for group in all("apiGroups") {
                let of = |verb| (verb, group.clone(), resource.clone());
                found.extend(all("verbs").into_iter().map(of));
            }
        }
    }
    let wanted: BTreeSet<_> = permissions(Who::Flumen, true)
        .map(|one| {
            let resource = match one.subresource {
                "" => one.resource.to_owned(),
                part => format!("{}/{part}", one.resource),
            };
            (one.verb.to_owned(), one.group.to_owned(), resource)
        })
        .collect();
    ensure!(found == wanted, "the account may {found:?}, and should {wanted:?}");
    Ok(())
}

/// Where objects of this kind are created.
fn collection(object: &Value) -> Result<String> {
    let (group, plural) = match text(&object["kind"])? {
        "Namespace" => return Ok("/api/v1/namespaces".to_owned()),
        "ServiceAccount" => ("api/v1", "serviceaccounts"),
        "Role" => ("apis/rbac.authorization.k8s.io/v1", "roles"),
        "RoleBinding" => ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
        other => bail!("the manifest has a {other}"),
    };
    let namespace = text(&object["metadata"]["namespace"])?;
    Ok(format!("/{group}/namespaces/{namespace}/{plural}"))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("a text is missing in the manifest")
}

/// The role without one right.
fn without(role: &Value, permission: &Permission) -> Value {
    let resource = match permission.subresource {
        "" => permission.resource.to_owned(),
        part => format!("{}/{part}", permission.resource),
    };
    let mut role = role.clone();
    for rule in role["rules"].as_array_mut().into_iter().flatten() {
        if rule["apiGroups"] == json!([permission.group]) && rule["resources"] == json!([resource])
        {
            let verbs = rule["verbs"].as_array_mut();
            if let Some(verbs) = verbs {
                verbs.retain(|verb| verb != permission.verb);
            }
        }
    }
    // A rule must have a verb.
    if let Some(rules) = role["rules"].as_array_mut() {
        rules.retain(|rule| rule["verbs"] != json!([]));
    }
    role
}
