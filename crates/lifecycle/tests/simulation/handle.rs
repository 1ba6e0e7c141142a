//! How a server, a user or a poll acts on the world: a future that stands still before each call, so that
//! anything may happen between two of them, and that is dropped where its server is killed. It is polled by
//! hand: no runtime, no threads, no time but the world's.

use std::{
    cell::{Ref, RefMut},
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use flumen_lifecycle::ActionFailure;
use flumen_model::Kind;

use crate::world::{Fate, Shared, Way, World, failure};

/// A server's hands.
#[derive(Clone)]
pub(crate) struct Handle {
    world: Shared,
    pub(crate) server: usize,
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Brings a task on to its next call; says whether it is over.
pub(crate) fn step(task: &mut Task) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    task.as_mut().poll(&mut context).is_ready()
}

struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Handle {
    pub(crate) fn new(world: &Shared, server: usize) -> Self {
        Self { world: world.clone(), server }
    }

    pub(crate) fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    pub(crate) fn look(&self) -> Ref<'_, World> {
        self.world.borrow()
    }

    pub(crate) async fn pause(&self) {
        Pause(false).await;
    }

    /// One call, after which the world is different or not, and the caller hears of it or not.
    pub(crate) async fn call<T>(
        &self,
        way: Way,
        what: &'static str,
        act: impl FnOnce(&mut World) -> Result<T, ActionFailure>,
    ) -> Result<T, ActionFailure> {
        self.pause().await;
        let mut world = self.world();
        let fate = world.fate(self.server, way);
        if way == Way::Cluster || fate != Fate::Heard {
            let server = self.server;
            world.tell(|_| format!("server {server}: {what} ({fate:?})"));
        }
        match fate {
            Fate::Heard => act(&mut world),
            Fate::Refused => Err(failure(Kind::Unavailable, format!("{what}: refused"))),
            Fate::Unanswered => {
                let _ = act(&mut world);
                Err(failure(Kind::Timeout, format!("{what}: no answer")))
            }
        }
    }
}
