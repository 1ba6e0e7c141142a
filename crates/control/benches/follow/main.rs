//! What it costs to follow jobs, and how soon a failure is shown. The API server, controllers and registry of the
//! local cluster are real; pods are as the benchmark says, and one fake JobManager answers for all jobs.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark is what it prints, and a panic is how it fails"
)]

use std::time::Duration;

use crate::{jobs::Jobs, world::World};

mod failures;
mod figures;
mod jobs;
mod next_step;
mod world;

/// How many jobs run side by side.
const JOBS: u32 = 20;

/// How long the requests are counted.
const STEADY: Duration = Duration::from_mins(1);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(bench());
}

async fn bench() {
    let jobs = Jobs::run(World::start().await, JOBS).await;
    println!("{JOBS} jobs RUNNING, over {} s", STEADY.as_secs());
    let before = jobs.world.counts();
    tokio::time::sleep(STEADY).await;
    let after = jobs.world.counts();
    let rate = |count: usize| f64::from(u32::try_from(count).unwrap()) / STEADY.as_secs_f64();
    let asked = rate(after.job_managers - before.job_managers);
    println!("  requests to JobManagers, per job and second   {:.3}", asked / f64::from(JOBS));
    let all = rate(after.api_server - before.api_server);
    println!("  requests to the API server, per second        {all:.3}");
    let own = rate(after.own - before.own);
    println!("    of these not passed on to a JobManager      {own:.3}");

    println!(
        "\nFrom the failure until it is shown                                 tries  median     p99     max"
    );
    figures::line(
        "a TaskManager's pod gone, the job RESTARTING",
        failures::task_manager(&jobs).await,
    );
    figures::line("a JobManager's pod not ready", failures::not_ready(&jobs).await);
    figures::line("a JobManager's container ended, the job FAILED", failures::ended(&jobs).await);
    figures::line("the job RESTARTING, and no pod changes", failures::inside(&jobs).await);
    jobs.stop().await;

    println!("\nFrom the start of a server until its next step");
    figures::line(
        "a savepoint was written down when the one before died",
        next_step::measure(&jobs).await,
    );
}
