//! Which job is looked at next: each at most once at a time, the earliest wake-up wins.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::Mutex,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// A queue of keys, each with the time at which it is due.
#[derive(Debug)]
pub(crate) struct Queue<K> {
    inner: Mutex<Inner<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner<K> {
    due: BTreeSet<(Instant, K)>,
    at: HashMap<K, Instant>,
    taken: HashSet<K>,
}

impl<K: Copy + Eq + Hash + Ord> Queue<K> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                due: BTreeSet::new(),
                at: HashMap::new(),
                taken: HashSet::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// Makes the key due now.
    pub(crate) fn wake(&self, key: K) {
        self.wake_in(key, Duration::ZERO);
    }

    /// Makes the key due then, unless it is due before.
    pub(crate) fn wake_in(&self, key: K, delay: Duration) {
        let at = Instant::now() + delay;
        let mut inner = self.lock();
        if inner.at.get(&key).is_some_and(|earlier| *earlier <= at) {
            return;
        }
        if let Some(later) = inner.at.insert(key, at) {
            inner.due.remove(&(later, key));
        }
        inner.due.insert((at, key));
        drop(inner);
        self.changed.notify_one();
    }

    /// Waits for the next key that is due and not taken, and takes it.
    pub(crate) async fn take(&self) -> K {
        loop {
            // Enabled before looking, so that a wake-up between the look and the wait is not lost.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.next() {
                Next::Taken(key) => return key,
                Next::At(at) => {
                    tokio::select! {
                        () = &mut changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                Next::Nothing => changed.await,
            }
        }
    }

    /// Gives a taken key back; what woke it meanwhile counts from now on.
    pub(crate) fn give_back(&self, key: K) {
        self.lock().taken.remove(&key);
        self.changed.notify_one();
    }

    fn next(&self) -> Next<K> {
        let mut inner = self.lock();
        let now = Instant::now();
        let Some(&(at, key)) = inner.due.iter().find(|(_, key)| !inner.taken.contains(key)) else {
            return Next::Nothing;
        };
        if at > now {
            return Next::At(at);
        }
        inner.due.remove(&(at, key));
        inner.at.remove(&key);
        inner.taken.insert(key);
        Next::Taken(key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner<K>> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum Next<K> {
    Taken(K),
    At(Instant),
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_wake_up_of_a_key_wins() {
        let queue = Queue::new();
        queue.wake_in(1, Duration::from_mins(1));
        queue.wake_in(1, Duration::from_secs(5));
        queue.wake_in(1, Duration::from_secs(30));
        let start = Instant::now();
        assert_eq!(queue.take().await, 1);
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_taken_key_is_not_given_out_twice_and_its_wake_up_is_not_lost() {
        let queue = Queue::new();
        queue.wake(1);
        assert_eq!(queue.take().await, 1);
        queue.wake(1);
        let second = tokio::time::timeout(Duration::from_secs(1), queue.take()).await;
        assert!(second.is_err(), "given out twice");
        queue.give_back(1);
        assert_eq!(queue.take().await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_waits_does_not_hold_up_one_that_is_due() {
        let queue = Queue::new();
        queue.wake_in(1, Duration::from_mins(1));
        queue.wake(2);
        assert_eq!(queue.take().await, 2);
    }
}
