//! One history: chance decides what happens next, until all faults end and everything has to come to rest.

use std::{cell::RefCell, rc::Rc};

use flumen_lifecycle::{DeploymentSeen, PodSeen};

use crate::{
    controller,
    handle::{Handle, Task, step},
    invariants, others,
    tracker::{self, hear, is_up_to_date},
    users,
    world::{Decide, Facts, Shared, World},
};

/// What was found in a history.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seed: u64,
    pub(crate) violation: String,
    /// Everything that happened, line by line.
    pub(crate) story: String,
}

struct History {
    world: Shared,
    controllers: [Option<Task>; 2],
    polls: [Option<Task>; 2],
    users: [Option<Task>; 2],
}

/// How many rounds of everything at most it takes until all is at rest once nothing goes wrong.
const ROUNDS: u32 = 400;

/// Lives through the history of the seed; none if nothing happened that never may.
pub(crate) fn live(seed: u64, decide: Decide) -> Option<Found> {
    run(seed, decide, false)?;
    run(seed, decide, true)
}

/// What really happened in the history of the seed.
pub(crate) fn facts(seed: u64, decide: Decide) -> Facts {
    let history = lived(seed, decide, false);
    std::mem::take(&mut history.world.borrow_mut().facts)
}

fn run(seed: u64, decide: Decide, tells: bool) -> Option<Found> {
    let history = lived(seed, decide, tells);
    let mut world = history.world.borrow_mut();
    let violation = world.violation.take()?;
    let story = world.story.take().unwrap_or_default().join("\n");
    Some(Found { seed, violation, story })
}

fn lived(seed: u64, decide: Decide, tells: bool) -> History {
    let mut world = World::new(seed, decide, tells);
    users::create(&mut world);
    let steps = 100 + world.random.below(2900);
    let mut history = History {
        world: Rc::new(RefCell::new(world)),
        controllers: [None, None],
        polls: [None, None],
        users: [None, None],
    };
    for _ in 0..steps {
        history.step();
        if history.is_over() {
            break;
        }
    }
    if !history.is_over() {
        history.come_to_rest();
    }
    history
}

impl History {
    fn is_over(&self) -> bool {
        self.world.borrow().violation.is_some()
    }

    fn step(&mut self) {
        let (server, choice) = self.draw();
        match choice {
            0 => self.control(server),
            1 => self.poll(server),
            2 => self.ask(server),
            3 => self.kill_or_start(server),
            _ => happen(&mut self.world.borrow_mut(), server, choice),
        }
        invariants::at_each_step(&mut self.world.borrow_mut());
    }

    /// What happens next, and at which server.
    fn draw(&mut self) -> (usize, usize) {
        let world = &mut *self.world.borrow_mut();
        world.now += i64::try_from(world.random.below(60)).unwrap_or_default();
        let habits = &world.habits;
        let weights = [
            350,
            150,
            habits.users,
            habits.kills,
            habits.news,
            350,
            60,
            habits.outages,
            habits.clock_jumps,
            habits.others,
            habits.long_waits,
            if habits.storage_faults { 10 } else { 0 },
        ];
        let mut roll = world.random.below(weights.iter().sum());
        let choice = weights.iter().position(|weight| {
            let here = roll < *weight;
            roll = roll.saturating_sub(*weight);
            here
        });
        let servers = if world.habits.two_servers { 2 } else { 1 };
        (world.random.index(servers), choice.unwrap_or_default())
    }

    /// One step of the server's controller, if its job is due.
    fn control(&mut self, server: usize) {
        let world = self.world.borrow();
        let here = &world.servers[server];
        let due = here.alive && here.due.is_some_and(|due| due <= world.now);
        drop(world);
        if self.controllers[server].is_none() && due {
            self.world.borrow_mut().servers[server].due = None;
            let handle = Handle::new(&self.world, server);
            self.controllers[server] = Some(Box::pin(controller::bring_on(handle)));
        }
        advance(&mut self.controllers[server]);
    }

    fn poll(&mut self, server: usize) {
        let world = self.world.borrow();
        let asks = world.servers[server].alive && world.servers[server].follow.is_some();
        drop(world);
        if self.polls[server].is_none() && asks {
            let handle = Handle::new(&self.world, server);
            self.polls[server] = Some(Box::pin(tracker::poll(handle)));
        }
        advance(&mut self.polls[server]);
    }

    fn ask(&mut self, server: usize) {
        let alive = self.world.borrow().servers[server].alive;
        if self.users[server].is_none() && alive {
            let handle = Handle::new(&self.world, server);
            self.users[server] = Some(Box::pin(users::act(handle)));
        }
        // Most requests are over before anything else happens.
        let at_once = self.world.borrow_mut().random.permille(800);
        advance(&mut self.users[server]);
        while at_once && self.users[server].is_some() {
            advance(&mut self.users[server]);
        }
    }

    fn kill_or_start(&mut self, server: usize) {
        let mut world = self.world.borrow_mut();
        if world.servers[server].alive {
            world.tell(|_| format!("server {server} is killed"));
            world.servers[server].forget();
            drop(world);
            self.controllers[server] = None;
            self.polls[server] = None;
            self.users[server] = None;
        } else {
            start(&mut world, server);
        }
    }

    fn come_to_rest(&mut self) {
        {
            let mut world = self.world.borrow_mut();
            others::calm_down(&mut world);
            if !world.servers.iter().any(|server| server.alive) {
                start(&mut world, 0);
            }
        }
        let mut why = String::new();
        for round in 0..ROUNDS {
            // What was seen is dated by clocks. Where one was set back, only a list that is younger than
            // what the wrong one wrote down tells again what is gone.
            if round % 30 == 29 {
                self.world.borrow_mut().servers.iter_mut().for_each(tracker::list_anew);
            }
            self.calm_round();
            if self.is_over() {
                return;
            }
            match invariants::at_peace(&self.world.borrow()) {
                Ok(()) => return,
                Err(problem) => why = problem,
            }
        }
        self.world.borrow_mut().violate(format!("it never comes to rest: {why}"));
    }

    /// Everything happens, and nothing goes wrong.
    fn calm_round(&mut self) {
        const MOST: u32 = 200;

        for server in 0..2 {
            if !self.world.borrow().servers[server].alive {
                continue;
            }
            for _ in 0..MOST {
                let mut world = self.world.borrow_mut();
                if is_up_to_date::<DeploymentSeen>(&mut world, server)
                    && is_up_to_date::<PodSeen>(&mut world, server)
                {
                    break;
                }
                hear::<DeploymentSeen>(&mut world, server);
                hear::<PodSeen>(&mut world, server);
            }
            if self.users[server].is_some() {
                self.ask(server);
            }
            self.poll(server);
            while self.polls[server].is_some() {
                self.poll(server);
            }
            self.control(server);
            for _ in 0..MOST {
                if self.controllers[server].is_none() {
                    break;
                }
                self.control(server);
                invariants::at_each_step(&mut self.world.borrow_mut());
            }
        }
        let mut world = self.world.borrow_mut();
        for _ in 0..6 {
            others::work(&mut world);
            invariants::at_each_step(&mut world);
        }
        world.now += 2000;
    }
}

fn happen(world: &mut World, server: usize, choice: usize) {
    match choice {
        4 if !world.servers[server].alive => {}
        4 if world.random.one_in(2) => hear::<DeploymentSeen>(world, server),
        4 => hear::<PodSeen>(world, server),
        5 => others::work(world),
        6 => world.now += i64::try_from(world.random.below(3000)).unwrap_or_default(),
        7 => others::cut_or_mend(world),
        8 => others::jump_clock(world),
        9 => others::meddle(world),
        10 => world.now += i64::try_from(world.random.below(200_000)).unwrap_or_default(),
        _ => {
            world.storage.readable = !world.storage.readable;
            world.facts.storage_was_away = true;
        }
    }
}

fn start(world: &mut World, server: usize) {
    world.tell(|_| format!("server {server} starts"));
    world.servers[server].alive = true;
    if let Some(job) = &world.database.job {
        let id = job.id;
        let place = world.place.clone();
        world.servers[server].index.register(place, id);
        world.wake(server, 0);
    }
}

fn advance(task: &mut Option<Task>) {
    if task.as_mut().is_some_and(step) {
        *task = None;
    }
}
