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
    let mut listed = Power::Unknown;
    loop {
        let now = match events.try_next().await {
            Ok(Some(event)) => after(event, *power.borrow(), &mut listed),
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, node = name, "could not watch the node");
                // Why the API cannot be asked is said when the node registers.
                without_object(*power.borrow())
            }
        };
        power.send_if_modified(|power| std::mem::replace(power, now) != now);
    }
}

/// What a node that is `before` is after an event; `listed` is what a listing that is under way has said.
fn after(event: Event<Node>, before: Power, listed: &mut Power) -> Power {
    match event {
        Event::Init => *listed = without_object(before),
        Event::InitApply(node) => *listed = of(&node),
        Event::InitDone => return *listed,
        Event::Apply(node) => return of(&node),
        Event::Delete(_) => {}
    }
    before
}

/// One that never had an object is about to register. One whose object was deleted stays as it was.
fn without_object(before: Power) -> Power {
    match before {
        Power::Unknown | Power::On => Power::On,
        Power::Off => Power::Off,
    }
}

fn of(node: &Node) -> Power {
    if is_off(node) { Power::Off } else { Power::On }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn node(power: Option<&str>) -> Node {
        let annotation = |power: &str| BTreeMap::from([(ANNOTATION.to_owned(), power.to_owned())]);
        let mut node = Node::default();
        node.metadata.annotations = power.map(annotation);
        node
    }

    fn after_all(events: Vec<Event<Node>>) -> Power {
        let mut listed = Power::Unknown;
        events.into_iter().fold(Power::Unknown, |power, event| after(event, power, &mut listed))
    }

    #[test]
    fn a_node_is_on_before_it_registers_and_off_while_its_object_says_so() {
        assert_eq!(after_all(vec![Event::Init]), Power::Unknown);
        assert_eq!(after_all(vec![Event::Init, Event::InitDone]), Power::On);
        let off = || node(Some("off"));
        let first = || vec![Event::Init, Event::InitApply(off()), Event::InitDone];
        assert_eq!(after_all(first()), Power::Off);
        assert_eq!(after_all([first(), vec![Event::Apply(node(None))]].concat()), Power::On);
        assert_eq!(after_all(vec![Event::Apply(node(None)), Event::Apply(off())]), Power::Off);
        let again = vec![Event::Init, Event::InitApply(node(None)), Event::InitDone];
        assert_eq!(after_all([first(), again].concat()), Power::On, "switched on unseen");
    }

    #[test]
    fn a_node_that_was_switched_off_and_deleted_stays_off() {
        let off = || node(Some("off"));
        let deleted = vec![Event::Apply(off()), Event::Delete(off())];
        assert_eq!(after_all(deleted.clone()), Power::Off);
        let listed_again = vec![Event::Init, Event::InitDone];
        assert_eq!(after_all([deleted, listed_again].concat()), Power::Off);
        let running = vec![Event::Apply(node(None)), Event::Init, Event::InitDone];
        assert_eq!(after_all(running), Power::On);
    }
}
