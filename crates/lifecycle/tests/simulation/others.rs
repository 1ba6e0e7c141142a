//! Everybody and everything that is not Flumen: Kubernetes at work, someone with `kubectl`, the network, the
//! clocks, and what kills servers.

use flumen_lifecycle::FlinkState;

use crate::{
    flink::{advance, crash},
    kubernetes::{Pod, Trouble, short},
    world::World,
};

/// One step of Kubernetes or of Flink, whichever it is.
pub(crate) fn work(world: &mut World) {
    let pods = world.kubernetes.pods.len();
    match world.random.index(pods + 1) {
        index if index < pods => pod(world, index),
        _ => deployment(world),
    }
}

fn deployment(world: &mut World) {
    let trouble = (!world.calm && world.random.permille(world.habits.pod_trouble))
        .then(|| world.random.pick(&[Trouble::NoRoom, Trouble::NoImage]));
    let kubernetes = &mut world.kubernetes;
    let standing = kubernetes.deployment.clone();
    let owner = standing.as_ref().map(|one| one.uid);
    // What has no owner any more is collected.
    kubernetes
        .pods
        .iter_mut()
        .filter(|pod| Some(pod.owner) != owner)
        .for_each(|pod| pod.deleting = true);
    if let Some(one) = standing {
        let wanted = if one.deleting { 0 } else { one.replicas };
        let own = |pod: &&mut Pod| pod.owner == one.uid && !pod.deleting;
        let there = kubernetes.pods.iter_mut().filter(own).count();
        if wanted == 0 {
            kubernetes.pods.iter_mut().filter(own).for_each(|pod| pod.deleting = true);
        } else if there == 0 {
            let uid = kubernetes.uid();
            kubernetes.pods.push(Pod {
                uid,
                owner: one.uid,
                run: one.run,
                restore: one.restore,
                deleting: false,
                trouble,
                restarts: 0,
                last_exit: None,
                process: None,
            });
        }
        if one.deleting && kubernetes.pods.iter().all(|pod| pod.owner != one.uid) {
            kubernetes.deployment = None;
            world.tell(|_| format!("the Deployment of run {} is gone", short(one.run)));
        }
    }
    world.kubernetes.publish();
}

fn pod(world: &mut World, index: usize) {
    let calm = world.calm;
    let dice = world.random.below(3);
    let dies = !calm && world.random.permille(world.habits.crashes);
    let pod = &mut world.kubernetes.pods[index];
    if pod.deleting && (dice == 0 || calm || pod.process.is_none()) {
        world.kubernetes.pods.remove(index);
        world.kubernetes.publish();
    } else if pod.trouble.is_some() {
        if dice == 0 || calm {
            pod.trouble = None;
            world.kubernetes.publish();
        }
    } else if dies {
        crash(world, index);
    } else {
        advance(world, index);
    }
}

/// Someone else does something to the job's cluster.
pub(crate) fn meddle(world: &mut World) {
    let choice = world.random.below(12);
    let kubernetes = &mut world.kubernetes;
    let Some(one) = &mut kubernetes.deployment else {
        if choice == 0 {
            kubernetes.create(None, None);
            world.facts.taken = true;
            kubernetes.high_availability.entry(None).or_insert(0);
            world.tell(|_| "someone creates a Deployment of that name".to_owned());
        }
        return;
    };
    let Some(run) = one.run else {
        if choice < 6 {
            kubernetes.deployment = None;
            if choice < 4 {
                kubernetes.high_availability.remove(&None);
            }
            kubernetes.publish();
            world.tell(|_| "someone deletes their Deployment".to_owned());
        }
        return;
    };
    match choice {
        0 | 1 => one.deleting = true,
        2 | 3 => kubernetes.deployment = None,
        4 => one.replicas = 0,
        5 | 6 => one.replicas = 1,
        7 | 8 => {
            let job = kubernetes.job_manager().and_then(|process| process.job.as_mut());
            if let Some(job) = job.filter(|job| job.state.outcome().is_none()) {
                job.state = FlinkState::Cancelling;
                job.all_tasks_run = false;
            }
        }
        9 => {
            // Flink takes it for a fatal error.
            kubernetes.high_availability.remove(&Some(run));
            for index in 0..kubernetes.pods.len() {
                crash(world, index);
            }
        }
        10 => kubernetes.pods.iter_mut().take(1).for_each(|pod| pod.deleting = true),
        _ => {
            let job = kubernetes.job_manager().and_then(|process| process.job.as_mut());
            if let Some(job) = job.filter(|job| job.state == FlinkState::Running) {
                job.state = FlinkState::Suspended;
                job.all_tasks_run = false;
            }
        }
    }
    world.facts.touched.insert(run);
    world.kubernetes.publish();
    world.tell(|_| format!("someone does {choice} to run {}", short(Some(run))));
}

/// The network between a server and the cluster, or between it and a JobManager, changes.
pub(crate) fn cut_or_mend(world: &mut World) {
    let server = world.random.index(2);
    if world.random.one_in(3) {
        let silent = world.random.one_in(2);
        if let Some(process) = world.kubernetes.pods.iter_mut().find_map(|pod| pod.process.as_mut())
        {
            process.silent = silent;
            world.tell(|_| format!("the JobManager is silent: {silent}"));
        }
        return;
    }
    let link = &mut world.servers[server].link;
    *link = !*link;
    let link = *link;
    world.tell(|_| format!("server {server} reaches the cluster: {link}"));
}

pub(crate) fn jump_clock(world: &mut World) {
    let server = world.random.index(2);
    let milliseconds = i64::try_from(world.random.below(240_000)).unwrap_or_default() - 120_000;
    world.servers[server].skew = milliseconds;
    world.facts.clocks_differ = true;
    world.tell(|_| format!("the clock of server {server} is wrong by {milliseconds} ms"));
}

/// All faults end.
pub(crate) fn calm_down(world: &mut World) {
    world.calm = true;
    world.tell(|_| "CALM".to_owned());
    world.storage.readable = true;
    for server in &mut world.servers {
        server.link = true;
        server.skew = 0;
    }
    let scaled = world.kubernetes.deployment.as_mut().filter(|one| one.replicas == 0);
    if let Some(one) = scaled {
        one.replicas = 1;
    }
    for pod in &mut world.kubernetes.pods {
        pod.process.iter_mut().for_each(|process| process.silent = false);
    }
    world.kubernetes.publish();
}
