//! Everything there is: the cluster, Flink, the storage, the database, the servers, and what really happened.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use flumen_lifecycle::{ActionFailure, Decision, Desired, Observed, Place, Status};
use flumen_model::{JobId, Kind, OperationId, RunId, Uuid};
use jiff::Timestamp;

use crate::{
    database::Database, flink::Storage, kubernetes::Kubernetes, random::Random, tracker::Server,
};

pub(crate) type Shared = Rc<RefCell<World>>;

/// The code under test, or the same with a bug planted in it.
pub(crate) type Decide = fn(&Desired, &Status, &Observed, Timestamp) -> Decision;

/// How much of each sort of trouble there is in a history, in 1000 cases each. Drawn anew for each, so that
/// some have much of one and none of another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Habits {
    pub(crate) two_servers: bool,
    /// A call is refused, or it happens and its answer is lost.
    pub(crate) cut_calls: u64,
    pub(crate) database_faults: u64,
    pub(crate) storage_faults: bool,
    pub(crate) savepoint_failures: u64,
    pub(crate) job_failures: u64,
    pub(crate) crashes: u64,
    pub(crate) kills: u64,
    pub(crate) outages: u64,
    pub(crate) clock_jumps: u64,
    pub(crate) others: u64,
    pub(crate) long_waits: u64,
    pub(crate) bad_program: bool,
    pub(crate) pod_trouble: u64,
    /// How often users do something.
    pub(crate) users: u64,
    /// How often news are delivered, against everything else.
    pub(crate) news: u64,
}

/// What really happened, which no server knows.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Runs that Flink called running at some time.
    pub(crate) ran: BTreeSet<RunId>,
    pub(crate) first_restored: BTreeMap<RunId, Option<String>>,
    /// Savepoints that Flink completed.
    pub(crate) completed: Vec<(OperationId, RunId, String)>,
    /// Those of them that it called failed afterwards, since the job failed before it could end with them.
    /// They lie in storage all the same, and are recorded unless another savepoint is asked for.
    pub(crate) disowned: BTreeSet<String>,
    /// Runs that Flink ended with the savepoint of a stop, as it wrote down.
    pub(crate) stopped: BTreeSet<RunId>,
    /// Runs of which the status once said that they ended.
    pub(crate) ended: BTreeSet<RunId>,
    /// Runs created after that, by a request that was on its way before.
    pub(crate) late: BTreeSet<RunId>,
    pub(crate) storage_was_away: bool,
    pub(crate) clocks_differ: bool,
    /// Whether another's Deployment stood under the job's name: all that carries the name may be theirs then,
    /// so Flumen leaves it alone, also what a run of its own left.
    pub(crate) taken: bool,
    /// Runs whose objects someone else touched.
    pub(crate) touched: BTreeSet<RunId>,
}

#[derive(Debug)]
pub(crate) struct World {
    /// True time in milliseconds.
    pub(crate) now: i64,
    pub(crate) random: Random,
    /// What happened, if it is to be told.
    pub(crate) story: Option<Vec<String>>,
    pub(crate) violation: Option<String>,
    pub(crate) habits: Habits,
    /// Whether all faults have stopped.
    pub(crate) calm: bool,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) storage: Storage,
    pub(crate) database: Database,
    pub(crate) servers: [Server; 2],
    pub(crate) facts: Facts,
    pub(crate) decide: Decide,
    pub(crate) place: Place,
    ids: u128,
}

/// What a call needs to get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Database,
    Cluster,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Heard,
    /// It did not happen.
    Refused,
    /// It happened, and nobody heard.
    Unanswered,
}

impl World {
    pub(crate) fn new(seed: u64, decide: Decide, tells: bool) -> Self {
        let mut random = Random::new(seed);
        let habits = Habits::draw(&mut random);
        let servers = [Server::new(true), Server::new(habits.two_servers)];
        let place = Place {
            cluster: "c".to_owned(),
            namespace: "n".parse().expect("a valid namespace"),
            id: "job".parse().expect("a valid cluster id"),
        };
        let mut world = Self {
            now: 0,
            random,
            story: tells.then(Vec::new),
            violation: None,
            habits,
            calm: false,
            kubernetes: Kubernetes::default(),
            storage: Storage::default(),
            database: Database::default(),
            servers,
            facts: Facts::default(),
            decide,
            place,
            ids: 0,
        };
        world.tell(|world| format!("{:?}", world.habits));
        world
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.story.is_some() {
            let line = format!("{:>8} ms  {}", self.now, what(self));
            self.story.iter_mut().for_each(|story| story.push(line.clone()));
        }
    }

    /// Something happened that never may; the first is kept.
    pub(crate) fn violate(&mut self, what: String) {
        self.tell(|_| format!("VIOLATION: {what}"));
        self.violation.get_or_insert(what);
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn new_run(&mut self) -> RunId {
        RunId::from_bits(self.id())
    }

    pub(crate) fn new_operation(&mut self) -> OperationId {
        OperationId::from_uuid(Uuid::from_u128(self.id()))
    }

    pub(crate) fn new_job(&mut self) -> JobId {
        JobId::from_uuid(Uuid::from_u128(self.id()))
    }

    /// What the clock of the server shows.
    pub(crate) fn clock(&self, server: usize) -> Timestamp {
        const BEGAN: i64 = 1_800_000_000_000;
        let shown = BEGAN + self.now + self.servers[server].skew;
        Timestamp::from_millisecond(shown).expect("within the range of a clock")
    }

    pub(crate) fn fate(&mut self, server: usize, way: Way) -> Fate {
        if way == Way::Cluster && !self.servers[server].link {
            return Fate::Refused;
        }
        if self.calm {
            return Fate::Heard;
        }
        let cut = match way {
            Way::Database => self.habits.database_faults,
            Way::Cluster => self.habits.cut_calls,
        };
        if !self.random.permille(cut) {
            return Fate::Heard;
        }
        if self.random.one_in(2) { Fate::Refused } else { Fate::Unanswered }
    }

    /// Wakes the job on the server in so many milliseconds, unless it is woken before.
    pub(crate) fn wake(&mut self, server: usize, milliseconds: i64) {
        let at = self.now.saturating_add(milliseconds);
        let due = &mut self.servers[server].due;
        *due = Some(due.map_or(at, |earlier| earlier.min(at)));
    }

    /// A Flink job of Flumen for each that consumes now.
    pub(crate) fn consuming(&self) -> impl Iterator<Item = RunId> + '_ {
        self.kubernetes
            .pods
            .iter()
            .filter_map(|pod| pod.process.as_ref()?.job.as_ref())
            .filter(|job| job.consumes())
            .map(|job| job.run)
    }
}

impl Habits {
    fn draw(random: &mut Random) -> Self {
        let mut some = |most: u64| if random.one_in(2) { 0 } else { random.below(most + 1) };
        let (cut_calls, database_faults) = (some(150), some(60));
        let (savepoint_failures, job_failures, crashes) = (some(300), some(120), some(30));
        let (kills, outages, clock_jumps) = (some(30), some(40), some(20));
        let (others, long_waits, pod_trouble) = (some(25), some(25), some(300));
        Self {
            two_servers: random.one_in(3),
            cut_calls,
            database_faults,
            storage_faults: random.one_in(8),
            savepoint_failures,
            job_failures,
            crashes,
            kills,
            outages,
            clock_jumps,
            others,
            long_waits,
            bad_program: random.one_in(40),
            pod_trouble,
            users: 8 + random.below(60),
            news: 40 + random.below(400),
        }
    }
}

pub(crate) fn failure(kind: Kind, message: impl Into<String>) -> ActionFailure {
    ActionFailure { kind, message: message.into() }
}
