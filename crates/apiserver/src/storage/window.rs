//! The latest events of a kind, which watches read at their own pace.

use std::{collections::VecDeque, sync::Arc};

use super::Object;

/// However many events a window may hold, it forgets the oldest when their objects are larger than this.
const MAXIMUM_BYTES: usize = 32 << 20;

/// One change to one object.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) revision: u64,
    pub(crate) key: Arc<str>,
    /// The new state, or the last one with the revision of the deletion.
    pub(crate) object: Arc<Object>,
    pub(crate) previous: Option<Arc<Object>>,
    pub(crate) deleted: bool,
}

/// The window no longer reaches back to the revision that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expired {
    /// The earliest revision that could be asked for.
    pub(crate) oldest: u64,
}

/// The latest events of a kind.
pub(crate) struct Window {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    capacity: usize,
    /// Everything after this revision is in `events`.
    start: u64,
}

impl Window {
    pub(super) fn new(capacity: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, capacity: capacity.max(1), start: 0 }
    }

    pub(super) fn start_at_least(&mut self, revision: u64) {
        self.start = self.start.max(revision);
    }

    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.object.json.len();
        self.events.push_back(Arc::new(event));
        while self.events.len() > self.capacity
            || (self.bytes > MAXIMUM_BYTES && self.events.len() > 1)
        {
            let Some(dropped) = self.events.pop_front() else { break };
            self.bytes -= dropped.object.json.len();
            self.start = dropped.revision;
        }
    }

    /// The events after `revision`, at most `limit`, and the revision that is complete with them; `now` is the store's.
    pub(super) fn after(
        &self,
        revision: u64,
        limit: usize,
        now: u64,
    ) -> Result<(Vec<Arc<Event>>, u64), Expired> {
        if revision < self.start {
            return Err(Expired { oldest: self.start });
        }
        let from = self.events.partition_point(|event| event.revision <= revision);
        let events: Vec<Arc<Event>> = self.events.iter().skip(from).take(limit).cloned().collect();
        let complete = if from + events.len() == self.events.len() {
            now.max(revision)
        } else {
            events.last().map_or(revision, |event| event.revision)
        };
        Ok((events, complete))
    }
}
