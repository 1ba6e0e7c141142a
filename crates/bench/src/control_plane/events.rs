//! How soon a change reaches those who watch.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use kube::Client;
use serde_json::{Value, json};
use tokio::{sync::watch::Receiver, time::timeout};

use super::{
    requests::{Latencies, config_map, create_all, send, watch},
    side::Side,
};
use crate::{
    figures::{Series, Table, Unit},
    steadiness::{Beats, Steadiness},
};

const HERE: &str = "/api/v1/namespaces/default/configmaps";
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// One change each.
const EVERY: Duration = Duration::from_millis(2);
const CHANGES: usize = 10_000;
/// More than one request may be under way, but not without end.
const SENDERS: usize = 16;
/// Objects that are changed in turn.
const OBJECTS: usize = 100;
const WATCHES: usize = 1000;
/// Changes that all watches must see, one after the other.
const SEEN_BY_ALL: usize = 20;

/// Changes at a rate, with one watch.
pub(crate) struct Rate {
    /// Changes in a second.
    pub(crate) reached: f64,
    /// When the request of each change began, and when its event was there.
    changes: Vec<(Instant, Instant)>,
    steadiness: Steadiness,
}

impl Rate {
    pub(crate) async fn measure(client: &Client) -> Result<Self> {
        let objects: Vec<Value> = (0..OBJECTS).map(|one| config_map(&format!("e-{one}"))).collect();
        create_all(client, HERE, &objects).await?;
        let arrived = tokio::spawn(arrivals(Box::pin(watch(client, HERE).await?)));
        let beats = Beats::start();
        let start = Instant::now();
        let senders = (0..SENDERS).map(|one| tokio::spawn(changes(client.clone(), start, one)));
        let mut begun = vec![None; CHANGES];
        for sent in future::join_all(senders).await {
            for (change, at) in sent.context("a sender ended in a panic")?? {
                begun[change] = Some(at);
            }
        }
        let reached = to_figure(CHANGES) / start.elapsed().as_secs_f64();
        let arrived = timeout(PATIENCE, arrived).await.context("not all changes arrive")?;
        let arrived = arrived.context("the watch ended in a panic")??;
        let changes = begun.into_iter().zip(arrived).filter_map(|(begun, at)| begun.zip(at));
        Ok(Self { reached, changes: changes.collect(), steadiness: beats.stop()? })
    }

    /// From a change's request to its event.
    pub(crate) fn all(&self) -> Latencies {
        Latencies::of(self.changes.iter().map(|(begun, at)| *at - *begun).collect())
    }

    /// The same of the changes during which the machine computed as usual all the time.
    pub(crate) fn undisturbed(&self) -> Latencies {
        Latencies::of(self.steady().map(|(begun, at)| *at - *begun).collect())
    }

    pub(crate) fn undisturbed_percent(&self) -> f64 {
        100.0 * to_figure(self.steady().count()) / to_figure(self.changes.len())
    }

    fn steady(&self) -> impl Iterator<Item = &(Instant, Instant)> {
        self.changes.iter().filter(|change| self.steadiness.holds(**change))
    }

    /// Processor time of the same piece of work beside it: of most, and of the slowest of 100.
    pub(crate) fn beats(&self) -> (Duration, Duration) {
        (self.steadiness.median, self.steadiness.p99)
    }
}

/// When the event of each change was there.
async fn arrivals(
    mut events: impl futures::Stream<Item = std::io::Result<String>> + Unpin,
) -> Result<Vec<Option<Instant>>> {
    let mut arrived = vec![None; CHANGES];
    let mut missing = CHANGES;
    while missing > 0 {
        let line = events.next().await.context("the watch ended")??;
        let at = Instant::now();
        let event: Value = serde_json::from_str(&line)?;
        ensure!(event["type"] != "ERROR", "the watch failed: {line}");
        // Others write there, too: the root certificate of each namespace is one.
        let Some(change) = event["object"]["data"]["change"].as_str() else { continue };
        missing -= 1;
        *arrived.get_mut(change.parse::<usize>()?).context("a known change")? = Some(at);
    }
    Ok(arrived)
}

/// The changes of one sender, each at its time or as soon as the one before is answered; when each began.
async fn changes(client: Client, start: Instant, sender: usize) -> Result<Vec<(usize, Instant)>> {
    let mut begun = Vec::with_capacity(CHANGES / SENDERS + 1);
    for change in (sender..CHANGES).step_by(SENDERS) {
        let due = start + EVERY * u32::try_from(change).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due.into()).await;
        begun.push((change, Instant::now()));
        let body = json!({"data": {"change": change.to_string()}});
        let path = format!("{HERE}/e-{}", change % OBJECTS);
        send(&client, http::Method::PATCH, &path, &body).await?;
    }
    Ok(begun)
}

/// Many watches at once, each on a connection of its own.
pub(crate) async fn many_watches(client: &Client, side: &Side, table: &mut Table) -> Result<()> {
    let before = side.resident_alone()?;
    let open = stream::iter(0..WATCHES).map(|_| watch(client, HERE)).buffer_unordered(SENDERS);
    let opened: Vec<_> = open.try_collect().await?;
    let mut counts: Vec<Receiver<usize>> = Vec::with_capacity(WATCHES);
    for events in opened {
        let (seen, count) = tokio::sync::watch::channel(0);
        counts.push(count);
        tokio::spawn(async move {
            let mut events = Box::pin(events);
            while let Some(Ok(_)) = events.next().await {
                seen.send_modify(|count| *count += 1);
            }
        });
    }
    let mut times = Series::default();
    for change in 1..=SEEN_BY_ALL {
        let body = json!({"data": {"seen": change.to_string()}});
        let began = Instant::now();
        send(client, http::Method::PATCH, &format!("{HERE}/e-0"), &body).await?;
        let seen = async {
            for count in &mut counts {
                count.wait_for(|count| *count >= change).await.context("a watch ended")?;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, seen).await.context("not all watches have a change")??;
        times.push(began.elapsed());
    }
    table.alone("1,000 watches: until the last has a change", Unit::Milliseconds, &times, "");
    let more = side.resident_alone()? - before;
    table.alone("memory that they take", Unit::Mebibytes, &Series::of(more), "");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn to_figure(count: usize) -> f64 {
    count as f64
}
