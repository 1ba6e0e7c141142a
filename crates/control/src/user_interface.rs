//! Flink's own web UI of a job, for an origin of its own (decision 19): a code that works once becomes a
//! session, and the session sees one job's JobManager and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flumen_k8s::ProxyBody;
use flumen_model::{EnvironmentName, JobName};
use flumen_store::Principal;
use http::{Request, Response};
use jiff::Timestamp;

use crate::{Control, Error, clock, clusters::JobManager, identity, jobs, tracker::Place};

/// How long a code can be opened.
const CODE_LASTS: Duration = Duration::from_mins(1);
/// How long a browser can use what it opened.
const SESSION_LASTS: Duration = Duration::from_hours(12);
/// How long a JobManager may take to begin its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// An answer of the JobManager, as it comes.
pub type UiResponse = Response<ProxyBody>;

/// Codes and sessions, by their secret text. In memory: who restarts the server opens the UI again.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    codes: Mutex<HashMap<String, (Place, Timestamp)>>,
    sessions: Mutex<HashMap<String, (Place, Timestamp)>>,
}

fn put(
    map: &Mutex<HashMap<String, (Place, Timestamp)>>,
    key: Place,
    lasts: Duration,
) -> (String, Timestamp) {
    let now = clock::now();
    let until = now.saturating_add(lasts).unwrap_or(now);
    let code = identity::code();
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.retain(|_, (_, until)| *until > now);
    map.insert(code.clone(), (key, until));
    (code, until)
}

impl Control {
    /// A code that opens the job's Flink web UI once, and until when it can be opened.
    ///
    /// # Errors
    /// [`Error::Conflict`] if no run of the job is in the cluster.
    pub async fn open_ui(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<(String, Timestamp), Error> {
        let job = self.owned(principal, environment, name).await?;
        let state = flumen_lifecycle::JobState::of(&job.desired, &job.status);
        if state.is_at_rest() {
            let message = format!(
                "job {name} is {state}, so there is no JobManager whose web UI could be shown"
            );
            return Err(Error::Conflict { message });
        }
        Ok(put(&self.codes().codes, jobs::place(&job), CODE_LASTS))
    }

    /// Turns a code into a session; a code works once.
    pub fn redeem_ui_code(&self, code: &str) -> Option<String> {
        let (key, until) =
            self.codes().codes.lock().unwrap_or_else(PoisonError::into_inner).remove(code)?;
        (until > clock::now()).then(|| put(&self.codes().sessions, key, SESSION_LASTS).0)
    }

    /// Passes a request of the session on to the JobManager. None if there is no such session.
    ///
    /// # Errors
    /// What the JobManager or the cluster answered.
    pub async fn ui_request(
        &self,
        session: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Option<UiResponse>, Error> {
        let known = self
            .codes()
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(session)
            .cloned();
        let Some((key, _)) = known.filter(|(_, until)| *until > clock::now()) else {
            return Ok(None);
        };
        let job_manager = JobManager::of(self.clusters_handle(), &key).await?;
        let answer = job_manager
            .cluster
            .proxy_streaming(&job_manager.service, request, ANSWER_WITHIN)
            .await?;
        Ok(Some(answer))
    }
}
