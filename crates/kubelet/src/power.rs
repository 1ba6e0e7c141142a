//! Whether a node is switched on. A simulated node has no power button, so an annotation of its object is one:
//! `kubectl annotate node NAME flumen.dev/power=off` is a power failure, `flumen.dev/power-` brings the node back.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use tokio::sync::watch;

const ANNOTATION: &str = "flumen.dev/power";

/// Whether the object of a node says that it is switched off.
pub fn is_off(node: &Node) -> bool {
    let annotations = node.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(ANNOTATION)).is_some_and(|power| power == "off")
}

/// What is known of a node's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// The API has not been asked yet.
    Unknown,
    On,
    Off,
}

/// Follows the button of a node until the future is dropped.
pub(crate) async fn follow(client: Client, name: &str, power: watch::Sender<Power>) {
    let api: Api<Node> = Api::all(client);
    let one = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = watcher::watcher(api, one).default_backoff().boxed();
    // A node that does not exist is on: it is about to register.
    let mut listed = Power::On;
    let set = |now| {
        power.send_if_modified(|power| std::mem::replace(power, now) != now);
    };
    loop {
        match events.try_next().await {
            Ok(Some(Event::Init)) => listed = Power::On,
            Ok(Some(Event::InitApply(node))) => listed = of(&node),
            Ok(Some(Event::InitDone)) => set(listed),
            Ok(Some(Event::Apply(node))) => set(of(&node)),
            Ok(Some(Event::Delete(_))) => {}
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, node = name, "could not watch the node");
                // Why the API cannot be asked is said when the node registers.
                power.send_if_modified(|power| {
                    let is_first = *power == Power::Unknown;
                    if is_first {
                        *power = Power::On;
                    }
                    is_first
                });
            }
        }
    }
}

fn of(node: &Node) -> Power {
    if is_off(node) { Power::Off } else { Power::On }
}
