//! What a JobManager tells of a job's checkpoints and savepoints.

use serde_json::{Value, json};

use super::clock;

/// How many of the newest are told (`web.checkpoints.history`).
const TOLD: usize = 10;

#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Of this JobManager process, oldest first.
    snapshots: Vec<Snapshot>,
    /// Completed checkpoints that were not discarded, oldest first: what a restart goes on from.
    retained: Vec<String>,
    restored: Option<Restored>,
    /// Restores in this JobManager process.
    restores: u64,
    last_id: u64,
}

#[derive(Debug, Clone)]
struct Snapshot {
    id: u64,
    sort: Sort,
    format: Option<String>,
    begun: i64,
    progress: Progress,
}

/// In Flink's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Checkpoint,
    Savepoint,
    SyncSavepoint,
}

#[derive(Debug, Clone, PartialEq)]
enum Progress {
    Underway,
    Completed { path: String, discarded: bool },
    Failed { message: String },
}

#[derive(Debug, Clone)]
struct Restored {
    id: u64,
    at: i64,
    is_savepoint: bool,
    path: String,
}

impl History {
    /// Begins a snapshot and gives its number.
    pub(super) fn begin(&mut self, sort: Sort, format: Option<String>) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let begun = clock::now();
        self.snapshots.push(Snapshot { id, sort, format, begun, progress: Progress::Underway });
        id
    }

    pub(super) fn complete(&mut self, id: u64, path: &str) {
        self.progress(id, Progress::Completed { path: path.to_owned(), discarded: false });
    }

    pub(super) fn fail(&mut self, id: u64, message: &str) {
        self.progress(id, Progress::Failed { message: message.to_owned() });
    }

    /// One that this process does not know any more is left alone.
    fn progress(&mut self, id: u64, progress: Progress) {
        if let Some(found) = self.snapshots.iter_mut().find(|snapshot| snapshot.id == id) {
            found.progress = progress;
        }
    }

    /// Keeps a completed checkpoint, and no more than `limit`; gives the paths of those that are too many.
    pub(super) fn retain(&mut self, path: &str, limit: usize) -> Vec<String> {
        self.retained.push(path.to_owned());
        self.discard(limit)
    }

    /// Discards the oldest until so many are left; gives their paths.
    pub(super) fn discard(&mut self, limit: usize) -> Vec<String> {
        let too_many = self.retained.len().saturating_sub(limit);
        let old: Vec<_> = self.retained.drain(..too_many).collect();
        for snapshot in &mut self.snapshots {
            if let Progress::Completed { path, discarded } = &mut snapshot.progress {
                *discarded |= old.contains(path);
            }
        }
        old
    }

    pub(super) fn restore(&mut self, path: &str, is_savepoint: bool) {
        let number = path.rsplit_once("/chk-").and_then(|(_, number)| number.parse().ok());
        let id = number.unwrap_or(self.last_id + 1);
        self.last_id = self.last_id.max(id);
        self.restores += 1;
        self.restored =
            Some(Restored { id, at: clock::now(), is_savepoint, path: path.to_owned() });
    }

    /// What the next JobManager process knows: it goes on from the newest retained checkpoint, else from
    /// where the job began.
    pub(super) fn restart(&mut self) {
        self.snapshots.clear();
        self.restores = 0;
        match (self.retained.last().cloned(), self.restored.take()) {
            (Some(newest), _) => self.restore(&newest, false),
            (None, Some(before)) => self.restore(&before.path, before.is_savepoint),
            (None, None) => {}
        }
    }

    /// The answer, in the shape of a recorded one with a completed checkpoint.
    pub(super) fn answer(&self, recorded: &Value) -> Value {
        let shape = &recorded["latest"]["completed"];
        let count = |wanted: &str| self.with_status(wanted).count();
        let (underway, completed, failed) =
            (count("IN_PROGRESS"), count("COMPLETED"), count("FAILED"));
        let newest = |wanted: &str, savepoint: Option<bool>| {
            let of = |one: &&Snapshot| savepoint.is_none_or(|is| one.is_savepoint() == is);
            self.with_status(wanted).rfind(of).map_or(Value::Null, |one| one.json(shape))
        };
        let told = self.snapshots.iter().rev().take(TOLD);
        json!({
            "counts": {
                "restored": self.restores,
                "total": underway + completed + failed,
                "in_progress": underway,
                "completed": completed,
                "failed": failed,
            },
            "summary": recorded["summary"],
            "latest": {
                "completed": newest("COMPLETED", Some(false)),
                "savepoint": newest("COMPLETED", Some(true)),
                "failed": newest("FAILED", None),
                "restored": self.restored.as_ref().map(Restored::json),
            },
            "history": told.map(|one| one.json(shape)).collect::<Vec<_>>(),
        })
    }

    fn with_status(&self, wanted: &str) -> impl DoubleEndedIterator<Item = &Snapshot> {
        self.snapshots.iter().filter(move |one| one.status() == wanted)
    }
}

impl Snapshot {
    fn is_savepoint(&self) -> bool {
        self.sort != Sort::Checkpoint
    }

    const fn status(&self) -> &'static str {
        match self.progress {
            Progress::Underway => "IN_PROGRESS",
            Progress::Completed { .. } => "COMPLETED",
            Progress::Failed { .. } => "FAILED",
        }
    }

    /// One that is not complete lacks path and discarding; one that failed has its failure instead.
    fn json(&self, completed: &Value) -> Value {
        let mut json = completed.clone();
        let fields = json.as_object_mut().expect("a checkpoint is an object");
        let class = if fields.contains_key("@class") { "@class" } else { "className" };
        fields[class] = self.status().to_lowercase().into();
        fields["id"] = self.id.into();
        fields["status"] = self.status().into();
        fields["is_savepoint"] = self.is_savepoint().into();
        if let Some(format) = fields.get_mut("savepointFormat") {
            *format = self.format.clone().into();
        }
        fields["checkpoint_type"] = match self.sort {
            Sort::Checkpoint => "CHECKPOINT",
            Sort::Savepoint => "SAVEPOINT",
            Sort::SyncSavepoint => "SYNC_SAVEPOINT",
        }
        .into();
        fields["trigger_timestamp"] = self.begun.into();
        if let Progress::Completed { path, discarded } = &self.progress {
            let duration = fields["end_to_end_duration"].as_i64().unwrap_or_default();
            fields["latest_ack_timestamp"] = (self.begun + duration).into();
            fields["external_path"] = path.as_str().into();
            fields["discarded"] = (*discarded).into();
            return json;
        }
        fields.shift_remove("external_path");
        fields.shift_remove("discarded");
        fields["latest_ack_timestamp"] = (-1).into();
        fields["num_acknowledged_subtasks"] = 0.into();
        if let Progress::Failed { message } = &self.progress {
            fields.insert("failure_timestamp".to_owned(), self.begun.into());
            fields.insert("failure_message".to_owned(), message.as_str().into());
        }
        json
    }
}

impl Restored {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "restore_timestamp": self.at,
            "is_savepoint": self.is_savepoint,
            "external_path": self.path,
        })
    }
}
