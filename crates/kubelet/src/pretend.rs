//! Nodes that only pretend: their pods are running as soon as they are bound and gone as soon as they are deleted, and no process
//! is ever started. They hold what many pods weigh in a control plane, without the weight of the pods.

mod answer;

use std::{
    collections::{BTreeMap, HashSet},
    net::Ipv4Addr,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream::FuturesUnordered};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Taint};
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    node::Registration,
    pods::{report, time},
    settings::Allocatable,
};
use answer::{Addresses, Answer, answer};

/// Marks these nodes, as a label and as a taint that keeps out whoever does not ask for it.
const MARK: &str = "flumen.dev/pretend";
/// Pods that are answered for at the same time.
const CONCURRENT: usize = 32;
/// Pause after an answer that the API did not take.
const AGAIN: Duration = Duration::from_millis(500);
/// What each of them offers: what a test asks for is not to end here.
const SIZE: Allocatable =
    Allocatable { cpu_millis: 1_000_000, memory_bytes: 1 << 44, pods: 10_000 };

/// Registers nodes of these names and answers for their pods until `stop`. `client` needs the rights of a kubelet of each.
///
/// # Errors
/// If a node cannot be registered.
pub async fn pretend(
    client: Client,
    names: Vec<String>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let registrations: Vec<Registration> =
        names.iter().map(|name| registration(client.clone(), name)).collect();
    let serve = async {
        let live = async |registration: &Registration| {
            let node = registration.register().await?;
            registration.keep_alive(&node).await;
            Ok::<(), Error>(())
        };
        let lives: FuturesUnordered<_> = registrations.iter().map(live).collect();
        let follow = async {
            follow(client, &names).await;
            Ok(())
        };
        tokio::try_join!(lives.try_collect::<()>(), follow).map(|_| ())
    };
    tokio::select! {
        result = serve => result,
        () = stop.cancelled() => Ok(()),
    }
}

fn registration(client: Client, name: &str) -> Registration {
    let taint = Taint { key: MARK.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() };
    Registration {
        client,
        name: name.to_owned(),
        labels: BTreeMap::from([(MARK.to_owned(), "true".to_owned())]),
        taints: vec![taint],
        endpoint: None,
        capacity: SIZE,
        allocatable: SIZE,
        pod_range: Addresses::range(),
    }
}

/// One watch serves all nodes: what it brings of others costs less than a watch of each.
async fn follow(client: Client, names: &[String]) {
    let api: Api<Pod> = Api::all(client.clone());
    let mut events = watcher::watcher(api, watcher::Config::default()).default_backoff().boxed();
    let mut answers = FuturesUnordered::new();
    let mut addresses = Addresses::default();
    // Of these pods it is being said that they run; what else happens to them meanwhile is no reason to say it again.
    let mut starting = HashSet::new();
    loop {
        tokio::select! {
            event = events.try_next(), if answers.len() < CONCURRENT => match event {
                Ok(Some(Event::Apply(pod) | Event::InitApply(pod))) => {
                    addresses.see(&pod);
                    let uid = pod.metadata.uid.clone().unwrap_or_default();
                    if let Some(answer) = decide(&pod, names, &mut addresses)
                        && (answer == Answer::Delete || starting.insert(uid.clone()))
                    {
                        let client = client.clone();
                        answers.push(async move {
                            give(client, pod, answer).await;
                            uid
                        });
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                // The stream goes on by itself, with growing pauses.
                Err(error) => tracing::debug!(%error, "could not watch the pods of nodes that pretend"),
            },
            Some(uid) = answers.next() => {
                starting.remove(&uid);
            }
        }
    }
}

fn decide(pod: &Pod, names: &[String], addresses: &mut Addresses) -> Option<Answer> {
    let node = pod.spec.as_ref()?.node_name.as_ref()?;
    if !names.contains(node) {
        return None;
    }
    answer(pod, Ipv4Addr::LOCALHOST, || addresses.next(), &time(Timestamp::now()))
}

/// Until the API has taken it; what it will never take is left.
async fn give(client: Client, pod: Pod, answer: Answer) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let api: Api<Pod> = Api::namespaced(client, namespace);
    loop {
        let given = match &answer {
            Answer::Run(status) => report::write(&api, &pod, None, status).await.map(drop),
            Answer::Delete => report::delete(&api, &pod).await,
        };
        match given {
            Ok(()) => return,
            Err(kube::Error::Api(refused)) if refused.code < 500 => return,
            Err(error) => tracing::debug!(%error, "could not answer for a pod that only pretends"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}
