use std::collections::BTreeMap;

use flumen_flink_rest as flink;
use flumen_lifecycle::JobState;
use flumen_model::{EnvironmentName, JobName};
use flumen_store::Principal;
use jiff::Timestamp;

use crate::{Control, Error, clock, clusters::JobManager, jobs};

/// What Flink says of a running job at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// When it was asked.
    pub observed_at: Timestamp,
    /// The job's state in Flink's word.
    pub state: String,
    /// Registered TaskManagers.
    pub task_managers: u32,
    /// The vertices of the job, in order.
    pub vertices: Vec<LiveVertex>,
}

/// A vertex of the job graph.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveVertex {
    /// What Flink reports of it.
    pub vertex: flink::Vertex,
    /// Records that it reads in a second, summed over its tasks; none while no task reports it.
    pub records_in_per_second: Option<f64>,
    /// Records that it writes in a second, summed over its tasks; none while no task reports it.
    pub records_out_per_second: Option<f64>,
}

impl Live {
    /// Tasks by state, summed over the vertices.
    pub fn tasks(&self) -> BTreeMap<String, u32> {
        let mut sum = BTreeMap::new();
        for LiveVertex { vertex, .. } in &self.vertices {
            for (state, count) in by_state(&vertex.tasks) {
                *sum.entry(state.to_owned()).or_default() += count;
            }
        }
        sum
    }
}

impl Control {
    /// Asks the job's JobManager how the job does.
    ///
    /// # Errors
    /// [`Error::Conflict`] if no run of the job is in the cluster; what the JobManager or the cluster answered.
    pub async fn live(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Live, Error> {
        let job = self.owned(principal, environment, name).await?;
        let state = JobState::of(&job.desired, &job.status);
        let run = job.status.run.filter(|_| !state.is_at_rest()).ok_or_else(|| {
            let message = format!("job {name} is {state}, so there is no JobManager to ask");
            Error::Conflict { message }
        })?;
        let job_manager = JobManager::of(self.clusters_handle(), &jobs::place(&job)).await?;
        let id = flink::JobId::from(run);
        let detail = job_manager.call(&flink::job(id)).await?;
        let overview = job_manager.call(&flink::overview()).await?;
        let mut vertices = Vec::with_capacity(detail.vertices.len());
        for vertex in detail.vertices {
            let rates = job_manager
                .call(&flink::vertex_throughput(id, vertex.id))
                .await
                .unwrap_or_default();
            let rate =
                |name: &str| rates.iter().find(|rate| rate.id == name).and_then(|rate| rate.sum);
            vertices.push(LiveVertex {
                records_in_per_second: rate("numRecordsInPerSecond"),
                records_out_per_second: rate("numRecordsOutPerSecond"),
                vertex,
            });
        }
        Ok(Live {
            observed_at: clock::now(),
            state: detail.state.to_string(),
            task_managers: overview.task_managers,
            vertices,
        })
    }
}

/// The states that some task is in, in the order of a task's life.
pub fn by_state(tasks: &flink::TaskCounts) -> impl Iterator<Item = (&'static str, u32)> {
    [
        ("CREATED", tasks.created),
        ("SCHEDULED", tasks.scheduled),
        ("DEPLOYING", tasks.deploying),
        ("INITIALIZING", tasks.initializing),
        ("RECONCILING", tasks.reconciling),
        ("RUNNING", tasks.running),
        ("FINISHED", tasks.finished),
        ("CANCELING", tasks.canceling),
        ("CANCELED", tasks.canceled),
        ("FAILED", tasks.failed),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
}
