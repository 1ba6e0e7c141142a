//! A queue of keys to look at: each key is waiting at most once and looked at by one task at a time. A key that is pushed while
//! it is being looked at is looked at again; a key whose round failed comes back later and later. A push brings it back sooner, but
//! not at once: what a failed round writes about itself must not be the reason for the next one.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Error;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// How long a push of a key whose round has just failed may have to wait.
const CALM: Duration = Duration::from_secs(1);
/// Whoever wants to look again later than this looks sooner: a time of any length may stand in an object.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);
const CONCURRENT: usize = 16;

/// A handle to one queue; clones share it.
#[derive(Debug)]
pub(crate) struct Queue<K>(Arc<Shared<K>>);

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Shared<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    ready: VecDeque<K>,
    queued: HashSet<K>,
    running: HashSet<K>,
    /// Waiting for a time. The number keeps keys of the same instant apart.
    delayed: BTreeMap<(Instant, u64), K>,
    due: HashMap<K, (Instant, u64)>,
    /// How often the last rounds failed in a row, and when the next one may be at the earliest.
    failures: HashMap<K, (u32, Instant)>,
    counter: u64,
}

impl<K: Clone + Eq + Hash> Queue<K> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                ready: VecDeque::new(),
                queued: HashSet::new(),
                running: HashSet::new(),
                delayed: BTreeMap::new(),
                due: HashMap::new(),
                failures: HashMap::new(),
                counter: 0,
            }),
            changed: Notify::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a look at `key`, as soon as possible.
    pub(crate) fn push(&self, key: K) {
        self.push_in(key, Duration::ZERO);
    }

    /// Asks for a look at `key` after a pause, in which others may ask for the same: the first of them says when it ends.
    pub(crate) fn push_in(&self, key: K, pause: Duration) {
        let now = Instant::now();
        let mut state = self.lock();
        let earliest = state.failures.get(&key).map_or(now, |(_, earliest)| *earliest);
        let at = earliest.max(now + pause);
        if at > now {
            state.push_at(key, at);
        } else {
            state.push(key);
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// What waits to be looked at now, which waits no longer then.
    #[cfg(test)]
    pub(crate) fn drain(&self) -> Vec<K> {
        let mut state = self.lock();
        state.queued.clear();
        state.ready.drain(..).collect()
    }

    /// Looks at keys as they come until `stop`. A round answers with the time after which it wants to see the key again.
    pub(crate) async fn run<F, R>(&self, name: &'static str, stop: CancellationToken, look: F)
    where
        F: Fn(K) -> R,
        R: Future<Output = Result<Option<Duration>, Error>>,
    {
        let mut rounds = FuturesUnordered::new();
        loop {
            while rounds.len() < CONCURRENT {
                let Some(key) = self.lock().take(Instant::now()) else { break };
                let round = look(key.clone());
                // A round holds no lock over its requests, so a panic in it breaks nothing but itself.
                let round = AssertUnwindSafe(round).catch_unwind();
                rounds.push(async move { (key, round.await.unwrap_or(Err(Error::Panic))) });
            }
            let next = self.lock().next_due();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.changed.notified() => {}
                () = sleep_until(next), if rounds.len() < CONCURRENT => {}
                Some((key, outcome)) = rounds.next(), if !rounds.is_empty() => self.finish(name, &key, outcome),
            }
        }
    }

    fn finish(&self, name: &'static str, key: &K, outcome: Result<Option<Duration>, Error>) {
        let mut state = self.lock();
        state.running.remove(key);
        match outcome {
            Ok(again) => {
                state.failures.remove(key);
                if let Some(delay) = again {
                    state.push_at(key.clone(), Instant::now() + delay.min(LONGEST_PAUSE));
                }
            }
            Err(error) => {
                let now = Instant::now();
                let known = state.failures.get(key).map_or(0, |(count, _)| *count);
                let delay = delay_after(known + 1);
                state.failures.insert(key.clone(), (known + 1, now + delay.min(CALM)));
                // It may have been pushed during the round.
                if state.queued.remove(key) {
                    state.ready.retain(|ready| ready != key);
                    state.push_at(key.clone(), now + delay.min(CALM));
                }
                state.push_at(key.clone(), now + delay);
                // A conflict is how somebody else's change shows; the next round sees it.
                if error.is_conflict() {
                    tracing::debug!(
                        controller = name,
                        error = &error as &dyn std::error::Error,
                        "round repeated"
                    );
                } else {
                    let retry_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                    tracing::warn!(
                        controller = name,
                        retry_ms,
                        error = &error as &dyn std::error::Error,
                        "round failed"
                    );
                }
            }
        }
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn push(&mut self, key: K) {
        // A key that is running stays in `ready` until its round ends; `take` skips it until then.
        if self.queued.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    fn push_at(&mut self, key: K, at: Instant) {
        if let Some(known) = self.due.get(&key) {
            if known.0 <= at {
                return;
            }
            self.delayed.remove(known);
        }
        self.counter += 1;
        self.due.insert(key.clone(), (at, self.counter));
        self.delayed.insert((at, self.counter), key);
    }

    fn take(&mut self, now: Instant) -> Option<K> {
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let key = entry.remove();
            self.due.remove(&key);
            self.push(key);
        }
        let position = self.ready.iter().position(|key| !self.running.contains(key))?;
        let key = self.ready.remove(position)?;
        self.queued.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    fn next_due(&self) -> Option<Instant> {
        self.delayed.keys().next().map(|(at, _)| *at)
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn delay_after(failures: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn failure() -> Error {
        Error::Incomplete { object: "pod a/b".into(), part: "name" }
    }

    async fn looks(
        queue: &Queue<&'static str>,
        count: usize,
        answer: impl Fn(usize) -> Result<Option<Duration>, Error>,
    ) -> Vec<(&'static str, u64)> {
        let start = Instant::now();
        let seen = RefCell::new(Vec::new());
        let stop = CancellationToken::new();
        queue
            .run("test", stop.clone(), |key| {
                seen.borrow_mut()
                    .push((key, u64::try_from(start.elapsed().as_millis()).expect("short")));
                let number = seen.borrow().len();
                if number == count {
                    stop.cancel();
                }
                let answer = &answer;
                async move { answer(number) }
            })
            .await;
        seen.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_waits_only_once() {
        let queue = Queue::new();
        for key in ["a", "a", "b", "a"] {
            queue.push(key);
        }
        assert_eq!(looks(&queue, 2, |_| Ok(None)).await, [("a", 0), ("b", 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_longer_than_any_clock_goes_is_cut_short() {
        let queue = Queue::new();
        queue.push("a");
        let seen = looks(&queue, 2, |_| Ok(Some(Duration::MAX))).await;
        assert_eq!(seen, [("a", 0), ("a", 86_400_000)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_round_is_repeated_later_and_later() {
        let queue = Queue::new();
        queue.push("a");
        let seen = looks(&queue, 4, |_| Err(failure())).await;
        let gaps: Vec<u64> = seen.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        assert_eq!(gaps, [50, 100, 200]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_failed_round_writes_does_not_start_the_next_one_at_once() {
        let queue = Queue::new();
        queue.push("a");
        let start = Instant::now();
        let stop = CancellationToken::new();
        let rounds = RefCell::new(0_u32);
        queue
            .run("test", stop.clone(), |key| {
                *rounds.borrow_mut() += 1;
                // The round itself, and what comes of it afterwards.
                queue.push(key);
                if start.elapsed() > Duration::from_secs(20) {
                    stop.cancel();
                }
                std::future::ready(Err(failure()))
            })
            .await;
        assert!((15..30).contains(&rounds.into_inner()), "about once a second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_panics_is_a_failed_round() {
        let queue = Queue::new();
        queue.push("a");
        let seen =
            looks(&queue, 2, |number| if number == 1 { panic!("planted") } else { Ok(None) });
        assert_eq!(seen.await, [("a", 0), ("a", 50)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_wish_wins() {
        let queue = Queue::new();
        for seconds in [9, 3, 6] {
            queue.lock().push_at("a", Instant::now() + Duration::from_secs(seconds));
        }
        assert_eq!(looks(&queue, 1, |_| Ok(None)).await, [("a", 3000)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_gathers_and_does_not_grow() {
        let queue = Queue::new();
        let start = Instant::now();
        let rounds = RefCell::new(Vec::new());
        let stop = CancellationToken::new();
        let run = queue.run("test", stop.clone(), |_| {
            rounds.borrow_mut().push(start.elapsed().as_millis());
            std::future::ready(Ok(None))
        });
        let push = async {
            for _ in 0..10 {
                queue.push_in("a", Duration::from_millis(500));
                tokio::time::sleep(Duration::from_millis(90)).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.cancel();
        };
        futures::join!(run, push);
        assert_eq!(rounds.into_inner(), [500, 1040]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_pushed_during_its_round_gets_another_one_after_it() {
        let queue = Queue::new();
        queue.push("a");
        let stop = CancellationToken::new();
        let running = RefCell::new(0_u32);
        let rounds = RefCell::new(0_u32);
        queue
            .run("test", stop.clone(), |key| {
                let (queue, stop, running, rounds) = (&queue, &stop, &running, &rounds);
                async move {
                    *running.borrow_mut() += 1;
                    assert_eq!(*running.borrow(), 1, "two rounds of one key at the same time");
                    if *rounds.borrow() == 0 {
                        queue.push(key);
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    *running.borrow_mut() -= 1;
                    *rounds.borrow_mut() += 1;
                    if *rounds.borrow() == 2 {
                        stop.cancel();
                    }
                    Ok(None)
                }
            })
            .await;
        assert_eq!(rounds.into_inner(), 2);
    }
}
