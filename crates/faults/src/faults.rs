use std::{
    collections::HashMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::hit::{Hit, Side};

/// A handle on the points of one server. Cheap to clone. Default: inert.
#[derive(Debug, Clone, Default)]
pub struct Faults(Option<Arc<Mutex<State>>>);

/// What happens at the points.
#[derive(Clone, Default)]
pub enum Plan {
    /// They are noted in [`Faults::trace`].
    #[default]
    Trace,
    /// At this moment `kill` is called, and from then on nothing goes past any point.
    Kill {
        /// When.
        at: Hit,
        /// Ends the server, or tells who does.
        kill: Arc<dyn Fn() + Send + Sync>,
    },
    /// At this moment, which is after an effect, its answer is lost.
    Cut {
        /// When.
        at: Hit,
    },
}

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    reached: HashMap<(&'static str, Side), u32>,
    trace: Vec<Hit>,
    struck: bool,
    dead: bool,
}

enum Verdict {
    GoOn,
    LoseAnswer,
    Stay,
}

impl Faults {
    /// A handle that is not inert, and begins with [`Plan::Trace`].
    pub fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    /// Forgets what was reached, and follows this plan from now on. An inert handle stays so.
    pub fn follow(&self, plan: Plan) {
        if let Some(mut state) = self.state() {
            *state = State { plan, ..State::default() };
        }
    }

    /// The moments since the last [`Faults::follow`], in their order, if they are traced.
    pub fn trace(&self) -> Vec<Hit> {
        self.state().map(|state| state.trace.clone()).unwrap_or_default()
    }

    /// Whether the moment of the plan has come.
    pub fn struck(&self) -> bool {
        self.state().is_some_and(|state| state.struck)
    }

    /// Carries out an effect between its two points. `lost` is the error that says that no answer came.
    pub fn around<T, E>(
        &self,
        effect: &'static str,
        work: impl Future<Output = Result<T, E>>,
        lost: impl FnOnce() -> E,
    ) -> impl Future<Output = Result<T, E>> {
        // An effect is dear and a box is cheap; futures of futures would grow large otherwise.
        let work = Box::pin(work);
        async move {
            if matches!(self.reach(effect, Side::Before), Verdict::Stay) {
                pending::<()>().await;
            }
            let result = work.await;
            match self.reach(effect, Side::After) {
                Verdict::GoOn => result,
                Verdict::LoseAnswer => Err(lost()),
                Verdict::Stay => pending().await,
            }
        }
    }

    fn reach(&self, effect: &'static str, side: Side) -> Verdict {
        let Some(mut state) = self.state() else { return Verdict::GoOn };
        if state.dead {
            return Verdict::Stay;
        }
        let count = state.reached.entry((effect, side)).or_default();
        *count += 1;
        let hit = Hit::new(effect, side, *count);
        match state.plan.clone() {
            Plan::Trace => {
                state.trace.push(hit);
                Verdict::GoOn
            }
            Plan::Kill { at, kill } if at == hit => {
                (state.struck, state.dead) = (true, true);
                drop(state);
                kill();
                Verdict::Stay
            }
            // A lost answer is one of an effect that took place.
            Plan::Cut { at } if at == hit && side == Side::After => {
                state.struck = true;
                Verdict::LoseAnswer
            }
            Plan::Kill { .. } | Plan::Cut { .. } => Verdict::GoOn,
        }
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace => out.write_str("Trace"),
            Self::Kill { at, .. } => write!(out, "Kill({at})"),
            Self::Cut { at } => write!(out, "Cut({at})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt as _;

    use super::*;

    /// The effect and what came of it, if it came to an end.
    fn carry_out(faults: &Faults, done: &AtomicU32) -> Option<Result<u32, &'static str>> {
        let work = async { Ok(done.fetch_add(1, Ordering::Relaxed) + 1) };
        faults.around("a.b", work, || "lost").now_or_never()
    }

    fn kill_at(at: &str) -> (Faults, Arc<AtomicU32>) {
        let faults = Faults::watched();
        let kills = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&kills);
        let kill = Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        faults.follow(Plan::Kill { at: at.parse().unwrap(), kill });
        (faults, kills)
    }

    #[test]
    fn an_inert_handle_changes_nothing_and_cannot_be_armed() {
        let (faults, done) = (Faults::default(), AtomicU32::new(0));
        faults.follow(Plan::Cut { at: "a.b:after#1".parse().unwrap() });
        assert_eq!(carry_out(&faults, &done), Some(Ok(1)));
        assert_eq!((faults.trace(), faults.struck()), (Vec::new(), false));
    }

    #[test]
    fn a_kill_before_an_effect_comes_before_it_and_nothing_goes_on() {
        let (faults, kills) = kill_at("a.b:before#2");
        let done = AtomicU32::new(0);
        assert_eq!(carry_out(&faults, &done), Some(Ok(1)));
        assert_eq!(carry_out(&faults, &done), None);
        assert_eq!(carry_out(&faults, &done), None, "also what comes later");
        assert_eq!((done.into_inner(), kills.load(Ordering::Relaxed)), (1, 1));
        assert!(faults.struck());
    }

    #[test]
    fn a_kill_after_an_effect_leaves_it_done() {
        let (faults, kills) = kill_at("a.b:after#1");
        let done = AtomicU32::new(0);
        assert_eq!(carry_out(&faults, &done), None);
        assert_eq!((done.into_inner(), kills.load(Ordering::Relaxed)), (1, 1));
    }

    #[test]
    fn a_cut_loses_one_answer_and_the_effect_is_done() {
        let (faults, done) = (Faults::watched(), AtomicU32::new(0));
        faults.follow(Plan::Cut { at: "a.b:after#2".parse().unwrap() });
        let results: Vec<_> = (0..3).map(|_| carry_out(&faults, &done).unwrap()).collect();
        assert_eq!(results, [Ok(1), Err("lost"), Ok(3)]);
    }

    #[test]
    fn a_new_plan_counts_from_the_beginning() {
        let (faults, done) = (Faults::watched(), AtomicU32::new(0));
        carry_out(&faults, &done);
        assert_eq!(faults.trace().len(), 2);
        faults.follow(Plan::Trace);
        carry_out(&faults, &done);
        let seen: Vec<_> = faults.trace().iter().map(ToString::to_string).collect();
        assert_eq!(seen, ["a.b:before#1", "a.b:after#1"]);
    }
}
