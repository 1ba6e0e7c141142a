//! Savepoints that are asked for, and checkpoints that come by themselves.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    FakeFlink, World,
    answers::{Answer, error},
    history::Sort,
};

const CHECKPOINT_EXCEPTION: &str = "org.apache.flink.runtime.checkpoint.CheckpointException";
const NOT_RUNNING: &str = "Not all required tasks are currently running.";
const IO_PROBLEM: &str =
    "An Exception occurred while triggering the checkpoint. IO-problem detected.";

/// A savepoint that was asked for. The JobManager knows it until it restarts.
#[derive(Debug, Clone)]
pub(super) struct Trigger {
    job: String,
    /// The state that its job takes on when it completes, if it does.
    ends: Option<&'static str>,
    target: String,
    /// Its number in the job; none if it was refused.
    snapshot: Option<u64>,
    /// How often its status or the checkpoints of its job were asked for.
    looks: u32,
    /// `operation` of the status; none while it is under way.
    operation: Option<Value>,
}

impl FakeFlink {
    /// The ids of the savepoints that were triggered, in the order of the ids.
    pub fn triggers(&self) -> Vec<String> {
        self.world().triggers.keys().cloned().collect()
    }

    /// The savepoints that were ever completed, oldest first, also those that were forgotten.
    pub fn savepoints(&self) -> Vec<String> {
        self.world().storage.completed.clone()
    }

    /// Forgets all triggers, as every JobManager that restarts does.
    pub fn forget_triggers(&self) {
        self.world().triggers.clear();
    }

    /// Whether savepoints complete by themselves, at the second look at their status or at the checkpoints
    /// of their job. Default: no.
    pub fn auto_savepoints(&self, auto: bool) {
        self.world().auto_savepoints = auto;
    }

    /// Completes a savepoint in the directory that was asked for and gives its path. A stop with savepoint
    /// finishes its job.
    pub fn complete(&self, trigger: &str) -> String {
        self.world().complete(trigger, None)
    }

    /// Completes a savepoint at this place.
    pub fn complete_savepoint(&self, trigger: &str, location: &str) {
        self.world().complete(trigger, Some(location));
    }

    /// Fails a savepoint with this message. The job of a stop with savepoint runs on.
    pub fn fail_savepoint(&self, trigger: &str, message: &str) {
        self.world().fail(trigger, message);
    }

    /// Completes a periodic checkpoint of a job and gives its path. Those that are too many then are discarded.
    pub fn complete_checkpoint(&self, job: &str) -> String {
        let world = &mut *self.world();
        let history = &mut world.jobs.get_mut(job).expect("the job was added").history;
        let id = history.begin(Sort::Checkpoint, None);
        let path = world.storage.checkpoint(job, id);
        world.storage.write(&path).expect("the directory of the test can be written");
        history.complete(id, &path);
        for old in history.retain(&path, world.storage.retained) {
            world.storage.delete(&old);
        }
        path
    }

    /// Fails a periodic checkpoint of a job with this message.
    pub fn fail_checkpoint(&self, job: &str, message: &str) {
        let mut world = self.world();
        let history = &mut world.jobs.get_mut(job).expect("the job was added").history;
        let id = history.begin(Sort::Checkpoint, None);
        history.fail(id, message);
    }

    /// Says that a job was restored from a snapshot.
    pub fn restore(&self, job: &str, path: &str, is_savepoint: bool) {
        let mut world = self.world();
        world.jobs.get_mut(job).expect("the job was added").history.restore(path, is_savepoint);
    }

    /// Restarts the JobManager with high availability: what it was asked for and the history of its
    /// checkpoints are forgotten, and jobs that have not ended restart from their newest retained checkpoint.
    pub fn restart(&self) {
        let mut world = self.world();
        world.triggers.clear();
        for job in world.jobs.values_mut().filter(|job| !job.is_over()) {
            job.history.restart();
            "RESTARTING".clone_into(&mut job.state);
            job.next = ["RUNNING".to_owned()].into();
        }
    }

    /// Where checkpoints go, as a URI. Default: `file:/flink/checkpoints`.
    pub fn checkpoint_in(&self, directory: &str) {
        directory.clone_into(&mut self.world().storage.checkpoints);
    }

    /// How many checkpoints are retained. Default: 1.
    pub fn retain_checkpoints(&self, count: usize) {
        self.world().storage.retained = count;
    }

    /// Has snapshots whose path begins with this URI written into a directory of this machine: each is a
    /// directory with a file `_metadata`.
    pub fn map_directory(&self, uri: &str, directory: &Path) {
        self.world().storage.map(uri, directory);
    }
}

impl World {
    pub(super) fn trigger(&mut self, id: &str, stops: bool, body: &Value) -> Answer {
        let old = self.version.starts_with("1.1") && self.version.as_str() < "1.15";
        if old && (body.get("triggerId").is_some() || body.get("formatType").is_some()) {
            return error(
                400,
                "org.apache.flink.runtime.rest.handler.RestHandlerException: Request did not match expected format.",
            );
        }
        let trigger = match body["triggerId"].as_str() {
            Some(own) => own.to_owned(),
            None => format!("{:032x}", self.triggers.len() + 1),
        };
        // Repeating a trigger with the same id is the same trigger.
        if !self.triggers.contains_key(&trigger) {
            let new = self.begin(id, stops, body);
            self.triggers.insert(trigger.clone(), new);
        }
        (202, json!({ "request-id": trigger }))
    }

    fn begin(&mut self, id: &str, stops: bool, body: &Value) -> Trigger {
        let target = if stops { &body["targetDirectory"] } else { &body["target-directory"] };
        let target = target.as_str().unwrap_or(&self.storage.savepoints).to_owned();
        let ends = if stops {
            Some("FINISHED")
        } else {
            (body["cancel-job"] == true).then_some("CANCELED")
        };
        let mut new =
            Trigger { job: id.to_owned(), ends, target, snapshot: None, looks: 0, operation: None };
        match self.jobs.get_mut(id).filter(|job| !job.is_over()) {
            None => {
                let class = "org.apache.flink.runtime.messages.FlinkJobNotFoundException";
                new.operation = Some(failure(class, &format!("Could not find Flink job ({id})")));
            }
            Some(job) if job.state != "RUNNING" => {
                new.operation = Some(failure(CHECKPOINT_EXCEPTION, NOT_RUNNING));
            }
            Some(job) => {
                let sort = if stops { Sort::SyncSavepoint } else { Sort::Savepoint };
                let format = body["formatType"].as_str().unwrap_or("CANONICAL");
                new.snapshot = Some(job.history.begin(sort, Some(format.to_owned())));
            }
        }
        new
    }

    fn complete(&mut self, trigger: &str, location: Option<&str>) -> String {
        let found = self.triggers.get(trigger).expect("the savepoint was triggered").clone();
        let path = match location {
            Some(location) => location.to_owned(),
            None => self.storage.savepoint(&found.target, &found.job),
        };
        if self.storage.write(&path).is_err() {
            self.fail(trigger, IO_PROBLEM);
            return path;
        }
        self.storage.completed.push(path.clone());
        if let (Some(job), Some(id)) = (self.jobs.get_mut(&found.job), found.snapshot) {
            job.history.complete(id, &path);
        }
        if let Some(state) = found.ends {
            self.enter(&found.job, state);
        }
        self.operation(trigger, json!({ "location": path }));
        path
    }

    fn fail(&mut self, trigger: &str, message: &str) {
        let found = self.triggers.get(trigger).expect("the savepoint was triggered").clone();
        if let (Some(job), Some(id)) = (self.jobs.get_mut(&found.job), found.snapshot) {
            job.history.fail(id, message);
        }
        self.operation(trigger, failure(CHECKPOINT_EXCEPTION, message));
    }

    fn operation(&mut self, trigger: &str, operation: Value) {
        let found = self.triggers.get_mut(trigger).expect("the savepoint was triggered");
        found.operation = Some(operation);
    }

    /// Puts a job into a state. A job that finishes discards its checkpoints; one that is cancelled or fails
    /// keeps them.
    pub(super) fn enter(&mut self, id: &str, state: &str) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        state.clone_into(&mut job.state);
        if job.is_over() {
            job.next.clear();
        }
        if state == "FINISHED" {
            for path in job.history.discard(0) {
                self.storage.delete(&path);
            }
        }
    }

    pub(super) fn savepoint_status(&mut self, id: &str, trigger: &str) -> Answer {
        self.look_at(|name, of| name == trigger && of.job == id);
        match self.triggers.get(trigger).filter(|found| found.job == id) {
            None => {
                let text = format!(
                    "There is no savepoint operation with triggerId={trigger} for job {id}."
                );
                error(
                    404,
                    &format!("org.apache.flink.runtime.rest.handler.RestHandlerException: {text}"),
                )
            }
            Some(Trigger { operation: None, .. }) => {
                (200, json!({ "status": { "id": "IN_PROGRESS" }, "operation": null }))
            }
            Some(Trigger { operation: Some(operation), .. }) => {
                (200, json!({ "status": { "id": "COMPLETED" }, "operation": operation }))
            }
        }
    }

    pub(super) fn checkpoints(&mut self, id: &str) -> Answer {
        self.look_at(|_, of| of.job == id);
        let (status, recorded) = self.recorded("checkpoints");
        (status, self.jobs[id].history.answer(&recorded))
    }

    /// Notes a look at these savepoints, by which they may come on.
    fn look_at(&mut self, meant: impl Fn(&str, &Trigger) -> bool) {
        let mut due = Vec::new();
        for (name, trigger) in &mut self.triggers {
            if trigger.operation.is_none() && meant(name, trigger) {
                trigger.looks += 1;
                if trigger.looks >= 2 {
                    due.push(name.clone());
                }
            }
        }
        if self.auto_savepoints {
            for name in due {
                self.complete(&name, None);
            }
        }
    }
}

fn failure(class: &str, message: &str) -> Value {
    json!({ "failure-cause": {
        "class": class,
        "stack-trace": format!("{class}: {message}\n\tat Fake.fake(Fake.java:1)\n"),
        "serialized-throwable": "rO0AB",
    }})
}
