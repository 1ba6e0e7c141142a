//! The local cluster's control plane: beside that of Kubernetes in the same run, and under load.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;

use self::{
    events::Rate,
    requests::{Latencies, Round},
    side::Side,
};
use crate::figures::{Series, Table, Unit};

mod events;
mod pods;
mod requests;
mod side;

const PEER: &str = "Kubernetes";

/// One figure of many.
type Figure = fn(&Latencies) -> Duration;

/// A figure of both sides.
#[derive(Default)]
struct Pair {
    flumen: Series,
    peer: Series,
}

/// Prints the tables; the peer is left out where its programs cannot be built.
pub(crate) fn measure(binary: &Path, cache: &Path, directory: &Path, runs: usize) -> Result<()> {
    let programs = match flumen_conformance::build(cache, |step| println!("{step}")) {
        Ok(programs) => Some(programs),
        Err(error) => {
            println!("Without the control plane of Kubernetes: {error:#}.\n");
            None
        }
    };
    let bench = Bench { binary, directory, programs, runs };
    println!("{}", bench.starts()?);
    println!("{}", bench.requests()?);
    println!("{}", bench.events()?);
    println!("{}", bench.pods()?);
    Ok(())
}

struct Bench<'a> {
    binary: &'a Path,
    directory: &'a Path,
    programs: Option<PathBuf>,
    runs: usize,
}

impl Bench<'_> {
    fn table(&self, title: &str) -> Table {
        Table::beside_installed(title, PEER, self.programs.is_some())
    }

    fn flumen(&self, name: &str, arguments: &[&str]) -> Result<Side> {
        Side::start(self.binary, &self.directory.join(name), None, arguments)
    }

    fn peer(&self, name: &str) -> Result<Option<Side>> {
        let start = |programs: &PathBuf| {
            Side::start(self.binary, &self.directory.join(name), Some(programs), &[])
        };
        self.programs.as_ref().map(start).transpose()
    }

    /// How long both take to be ready, and what they hold then.
    fn starts(&self) -> Result<Table> {
        let (mut ready, mut idle) = (Pair::default(), Pair::default());
        for run in 0..self.runs {
            let flumen = self.flumen(&format!("start-{run}"), &[])?;
            ready.flumen.push(flumen.ready());
            idle.flumen.add(flumen.idle()?);
            drop(flumen);
            if let Some(peer) = self.peer(&format!("start-{run}-peer"))? {
                ready.peer.push(peer.ready());
                idle.peer.add(peer.idle()?);
            }
        }
        let mut table = self.table(
            "13. Control plane: `flumen local` beside `flumen local --control-plane` with etcd, kube-apiserver and kube-controller-manager",
        );
        let what = "empty directory, until readyz and a ready node";
        table.less(what, &ready.flumen, &ready.peer, "1 : 10");
        let what = "resident 20 s later; the peer without its node";
        table.less_of(what, Unit::Mebibytes, (&idle.flumen, &idle.peer), "1 : 8");
        Ok(table)
    }

    /// The same requests to both, in turns.
    fn requests(&self) -> Result<Table> {
        let flumen = self.flumen("requests", &[])?;
        let peer = self.peer("requests-peer")?;
        for side in std::iter::once(&flumen).chain(&peer) {
            side.run(async |client| requests::prepare(&client).await)?;
        }
        let (mut rounds, mut peer_rounds) = (Vec::new(), Vec::new());
        for run in 0..self.runs {
            rounds.push(flumen.run(async |client| requests::round(&client, run).await)?);
            if let Some(peer) = &peer {
                peer_rounds.push(peer.run(async |client| requests::round(&client, run).await)?);
            }
        }
        let mut table = self.table("14. The same requests by the same client, in turns");
        let mut row = |what: &str, rare: &str, take: fn(&Round) -> &Latencies| {
            let figures: [(&str, Figure, &str); 2] =
                [("", Latencies::median, "1 ×"), (rare, Latencies::p99, "")];
            for (name, figure, goal) in figures {
                let series = |rounds: &[Round]| {
                    let mut series = Series::default();
                    for round in rounds {
                        series.push(figure(take(round)));
                    }
                    series
                };
                let what = format!("{what}{name}");
                table.times(&what, &series(&rounds), &series(&peer_rounds), goal);
            }
        };
        row("create a ConfigMap of 1 KiB", ", p99", |round| &round.create);
        row("until a watch has its event", ", p99", |round| &round.event);
        row("get it", ", p99", |round| &round.get);
        row("get it as an account with a role", ", p99", |round| &round.judged);
        row("patch it", ", p99", |round| &round.patch);
        row("list 1,000 such", ", the slowest", |round| &round.list);
        let (mut writes, mut peer_writes) = (Series::default(), Series::default());
        for run in 0..self.runs {
            writes.add(flumen.run(async |client| requests::writes(&client, run).await)?);
            if let Some(peer) = &peer {
                peer_writes.add(peer.run(async |client| requests::writes(&client, run).await)?);
            }
        }
        let what = "creates, 64 at a time, each on disk before its answer";
        table.times_of(what, Unit::PerSecond, (&writes, &peer_writes), "2,000 /s");
        Ok(table)
    }

    /// How soon changes are seen when there are many, or many who look.
    fn events(&self) -> Result<Table> {
        let mut table = self.table("15. Changes at a rate, and many watches");
        let side = self.flumen("events", &[])?;
        let flumen = side.run(async |client| Rate::measure(&client).await)?;
        let peer = match self.peer("events-peer")? {
            Some(peer) => Some(peer.run(async |client| Rate::measure(&client).await)?),
            None => None,
        };
        at_a_rate(&flumen, peer.as_ref(), &mut table);
        side.run(async |client| events::many_watches(&client, &side, &mut table).await)?;
        Ok(table)
    }

    /// How much one local cluster bears: objects, and processes.
    fn pods(&self) -> Result<Table> {
        let mut table = Table::beside("16. Many pods", "");
        let side = self.flumen("objects", &["--pretend-nodes", "1"])?;
        pods::objects(&side, self.runs, &mut table)?;
        drop(side);
        let side = self.flumen("pods", &["--nodes", "5"])?;
        pods::processes(&side, &mut table)?;
        Ok(table)
    }
}

fn at_a_rate(flumen: &Rate, peer: Option<&Rate>, table: &mut Table) {
    let mut row = |what: &str, unit: Unit, take: &dyn Fn(&Rate) -> f64, goal: &str| {
        let series = |rate: &Rate| Series::of(take(rate));
        let peer = peer.map(series).unwrap_or_default();
        table.times_of(what, unit, (&series(flumen), &peer), goal);
    };
    row("changes, of 500 /s asked for", Unit::PerSecond, &|rate| rate.reached, "");
    let figures: [(&str, Figure, &str); 3] = [
        ("from a change's request to its event at a client", Latencies::median, ""),
        ("the same, p99", Latencies::p99, "5 ms"),
        ("the same, the longest", Latencies::longest, ""),
    ];
    for (what, figure, goal) in figures {
        row(what, Unit::Milliseconds, &|rate| milliseconds(figure(&rate.all())), goal);
    }
    let what = "p99 of those during which the machine computes as usual";
    row(what, Unit::Milliseconds, &|rate| milliseconds(rate.undisturbed().p99()), "5 ms");
    row("how many these are", Unit::Percent, &Rate::undisturbed_percent, "");
    let what = "the machine: processor time of a piece of work beside it";
    row(what, Unit::Milliseconds, &|rate| milliseconds(rate.beats().0), "");
    row("the same, p99", Unit::Milliseconds, &|rate| milliseconds(rate.beats().1), "");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
