//! Which answer a request gets, and what it does.

use serde_json::{Value, json};

use super::{Job, Received, World};
use crate::samples;

pub(super) const LEADER_ELECTION: &str =
    "Service temporarily unavailable due to an ongoing leader election. Please refresh.";

pub(super) type Answer = (u16, Value);

impl World {
    pub(super) fn answer(&mut self, received: &Received, path: &str) -> Answer {
        if !self.ready {
            return error(503, LEADER_ELECTION);
        }
        if let Some(scripted) = self.scripted.get(&(received.method.clone(), path.to_owned())) {
            return scripted.clone();
        }
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (received.method.as_str(), segments.as_slice()) {
            ("GET", ["overview"]) => self.overview(),
            ("GET", ["config"]) => self.recorded("config"),
            ("GET", ["taskmanagers"]) => self.recorded("taskmanagers"),
            ("GET", ["jobs", "overview"]) => self.jobs_overview(),
            ("DELETE", ["cluster"]) => {
                self.jobs.clear();
                self.ready = false;
                (200, json!({}))
            }
            ("GET", ["jobs", id, "savepoints", trigger]) => self.savepoint_status(id, trigger),
            (method, ["jobs", id, rest @ ..]) if self.jobs.contains_key(*id) => {
                self.of_job(method, id, rest, &received.body)
            }
            // Flink accepts this for any id and tells in the status that there is no such job.
            ("POST", ["jobs", id, verb @ ("savepoints" | "stop")]) => {
                self.trigger(id, *verb == "stop", &received.body)
            }
            (_, ["jobs", id, ..]) => error(404, &not_found(&format!("Job {id} not found"))),
            ("GET", _) => error(404, &format!("Unable to load requested file {path}.")),
            _ => error(404, &format!("Not found: {path}")),
        }
    }

    fn of_job(&mut self, method: &str, id: &str, rest: &[&str], body: &Value) -> Answer {
        match (method, rest) {
            ("GET", []) => (200, self.detail(id)),
            ("GET", ["status"]) => (200, json!({ "status": self.jobs[id].state })),
            ("PATCH", []) => self.cancel(id),
            ("GET", ["exceptions"]) if self.jobs[id].state == "FAILED" => {
                self.recorded_or("job-exceptions-failed", "job-exceptions-restarting")
            }
            ("GET", ["exceptions"]) => self.recorded("job-exceptions-none"),
            ("GET", ["checkpoints"]) => self.checkpoints(id),
            ("GET", ["checkpoints", "config"]) => self.recorded("checkpoints-config"),
            ("GET", ["metrics"]) => self.recorded("job-metrics-values"),
            ("GET", ["vertices", _, "subtasks", "metrics"]) => {
                self.recorded("vertex-subtasks-metrics")
            }
            ("POST", ["savepoints"]) => self.trigger(id, false, body),
            ("POST", ["stop"]) => self.trigger(id, true, body),
            ("GET", _) => {
                error(404, &format!("Unable to load requested file /jobs/{id}/{}.", rest.join("/")))
            }
            _ => error(404, &format!("Not found: /jobs/{id}/{}", rest.join("/"))),
        }
    }

    pub(super) fn recorded(&self, name: &str) -> Answer {
        let sample = samples::sample(&self.version, name);
        (sample.status, sample.body)
    }

    fn recorded_or(&self, name: &str, other: &str) -> Answer {
        let all = samples::samples(&self.version);
        let known = all.iter().any(|sample| sample.name == name);
        self.recorded(if known { name } else { other })
    }

    fn overview(&self) -> Answer {
        let (status, mut overview) = self.recorded("overview");
        let count = |wanted: &[&str]| {
            self.jobs.values().filter(|job| wanted.contains(&job.state.as_str())).count()
        };
        let ended = count(&["FINISHED", "CANCELED", "FAILED"]);
        overview["jobs-running"] = (self.jobs.len() - ended).into();
        overview["jobs-finished"] = count(&["FINISHED"]).into();
        overview["jobs-cancelled"] = count(&["CANCELED"]).into();
        overview["jobs-failed"] = count(&["FAILED"]).into();
        (status, overview)
    }

    fn jobs_overview(&mut self) -> Answer {
        let (status, recorded) = self.recorded("jobs-overview");
        let next = |(id, job): (&String, &mut Job)| Some((id.clone(), job.next.pop_front()?));
        for (id, state) in self.jobs.iter_mut().filter_map(next).collect::<Vec<_>>() {
            self.enter(&id, &state);
        }
        let mut jobs = Vec::new();
        for (id, job) in &self.jobs {
            let mut entry = recorded["jobs"][0].clone();
            entry["jid"] = id.as_str().into();
            job.fill(&mut entry);
            let total = entry["tasks"]["total"].clone();
            for (state, count) in entry["tasks"].as_object_mut().expect("tasks by state") {
                *count = if state == "total" || *state == job.tasks().to_lowercase() {
                    total.clone()
                } else {
                    0.into()
                };
            }
            jobs.push(entry);
        }
        (status, json!({ "jobs": jobs }))
    }

    fn detail(&self, id: &str) -> Value {
        let (_, mut detail) = self.recorded("job");
        let job = &self.jobs[id];
        detail["jid"] = id.into();
        job.fill(&mut detail);
        for vertex in detail["vertices"].as_array_mut().expect("a list") {
            vertex["status"] = job.tasks().into();
            let parallelism = vertex["parallelism"].clone();
            for (state, count) in vertex["tasks"].as_object_mut().expect("tasks by state") {
                *count = if state == job.tasks() { parallelism.clone() } else { 0.into() };
            }
        }
        detail
    }

    fn cancel(&mut self, id: &str) -> Answer {
        let job = self.jobs.get_mut(id).expect("it was looked up");
        match job.state.as_str() {
            "FINISHED" | "FAILED" => {
                let text = format!(
                    "Job cancellation failed because the job has already reached another terminal state ({}).",
                    job.state
                );
                error(
                    409,
                    &format!("org.apache.flink.runtime.rest.handler.RestHandlerException: {text}"),
                )
            }
            "CANCELED" => (202, json!({})),
            _ => {
                job.state = "CANCELLING".into();
                job.next = ["CANCELED".to_owned()].into();
                (202, json!({}))
            }
        }
    }
}

impl Job {
    fn fill(&self, entry: &mut Value) {
        entry["name"] = self.name.as_str().into();
        entry["state"] = self.state.as_str().into();
        if self.is_over() {
            let (start, duration) = (&entry["start-time"], &entry["duration"]);
            entry["end-time"] =
                (start.as_i64().unwrap_or(0) + duration.as_i64().unwrap_or(0)).into();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "FINISHED" | "CANCELED" | "FAILED")
    }

    /// The state of all its tasks.
    fn tasks(&self) -> &'static str {
        match self.state.as_str() {
            "RUNNING" => "RUNNING",
            "FINISHED" => "FINISHED",
            "FAILED" | "FAILING" => "FAILED",
            "CANCELED" => "CANCELED",
            "CANCELLING" => "CANCELING",
            _ => "CREATED",
        }
    }
}

pub(super) fn error(status: u16, text: &str) -> Answer {
    (status, json!({ "errors": [text] }))
}

fn not_found(text: &str) -> String {
    format!("org.apache.flink.runtime.rest.NotFoundException: {text}")
}
