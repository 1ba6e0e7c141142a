use std::{collections::BTreeMap, fmt};

use flumen_model::FlinkMinor;
use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Call, Error, JobId, RestoreMode, VertexId, call, path, wire};

/// A jar that was uploaded to a session: `<uuid>_<name>.jar`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JarId(String);

impl JarId {
    /// An id that Flink gave.
    pub const fn new(id: String) -> Self {
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JarId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A jar that a session has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Jar {
    /// Its id.
    pub id: JarId,
    /// The name of the file that was uploaded.
    pub name: String,
    /// When.
    #[serde(default, deserialize_with = "wire::time")]
    pub uploaded: Option<Timestamp>,
}

/// How to run a jar in a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JarRun {
    /// The class with `main`. Default: the one that the jar's manifest names.
    pub entry_class: Option<String>,
    /// Arguments for `main`. Default: none.
    pub arguments: Vec<String>,
    /// The parallelism. Default: the cluster's.
    pub parallelism: Option<u32>,
    /// The id that the job shall have. Default: Flink chooses.
    pub job_id: Option<JobId>,
    /// The snapshot to start from. Default: none.
    pub savepoint_path: Option<String>,
    /// Whether state that no operator takes is dropped. Default: no.
    pub allow_non_restored_state: bool,
    /// What becomes of the snapshot (1.15 and later). Default: Flink's.
    pub restore_mode: Option<RestoreMode>,
    /// Flink options of the job (1.17 and later). Default: none.
    pub configuration: BTreeMap<String, String>,
}

/// A vertex in the plan of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlanNode {
    /// The vertex.
    pub id: VertexId,
    /// How many tasks it has.
    #[serde(default)]
    pub parallelism: u32,
    /// The names of its operators, as HTML.
    #[serde(default)]
    pub description: String,
    /// Where its input comes from; empty for a source.
    #[serde(default, deserialize_with = "wire::list")]
    pub inputs: Vec<PlanNodeInput>,
}

/// An edge in the plan of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PlanNodeInput {
    /// The vertex that it comes from.
    pub id: VertexId,
    /// How records are dealt out, for example `HASH`.
    #[serde(default, deserialize_with = "wire::text")]
    pub ship_strategy: Option<String>,
    /// For example `pipelined_bounded`.
    #[serde(default, deserialize_with = "wire::text")]
    pub exchange: Option<String>,
}

/// Asks for the jars of a session. An application cluster has none:
/// [`Error::NotOffered`].
pub fn jars() -> Call<Vec<Jar>> {
    #[derive(Deserialize)]
    struct Answer {
        files: Vec<Jar>,
    }
    impl From<Answer> for Vec<Jar> {
        fn from(answer: Answer) -> Self {
            answer.files
        }
    }
    call::get_as::<Answer, _>("jars", "/jars".into())
}

/// Uploads a jar under this file name, which must end in `.jar`. The session loses it when its
/// JobManager restarts.
pub fn upload_jar(file_name: &str, content: &[u8]) -> Call<JarId> {
    #[derive(Deserialize)]
    struct Answer {
        filename: String,
    }
    impl From<Answer> for JarId {
        fn from(answer: Answer) -> Self {
            Self(answer.filename.rsplit('/').next().unwrap_or_default().to_owned())
        }
    }
    let boundary = unused_boundary(content);
    let quoted: String =
        file_name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"{quoted}\"\r\n\
         Content-Type: application/x-java-archive\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    call::send_as::<Answer, _>("upload of the jar", "/jars/upload".into(), &content_type, body)
}

/// Runs a jar: its `main` runs in the JobManager, and the answer comes when the job was submitted.
///
/// # Errors
/// [`Error::TooOld`] for a restore mode before 1.15 and for options before 1.17.
pub fn run_jar(version: FlinkMinor, jar: &JarId, run: &JarRun) -> Result<Call<JobId>, Error> {
    const NAME: &str = "run of the jar";
    #[derive(Deserialize)]
    struct Answer {
        jobid: JobId,
    }
    impl From<Answer> for JobId {
        fn from(answer: Answer) -> Self {
            answer.jobid
        }
    }
    let body = RunBody::of(NAME, version, run)?;
    let path = format!("/jars/{}/run", path::escape(jar.as_str()));
    Ok(call::post_as::<Answer, _>(NAME, path, &body))
}

/// Compiles a jar's program without running it.
///
/// # Errors
/// As [`run_jar`].
pub fn plan_jar(
    version: FlinkMinor,
    jar: &JarId,
    run: &JarRun,
) -> Result<Call<Vec<PlanNode>>, Error> {
    const NAME: &str = "plan of the jar";
    #[derive(Deserialize)]
    struct Answer {
        plan: Nodes,
    }
    #[derive(Deserialize)]
    struct Nodes {
        nodes: Vec<PlanNode>,
    }
    impl From<Answer> for Vec<PlanNode> {
        fn from(answer: Answer) -> Self {
            answer.plan.nodes
        }
    }
    plan_call::<Answer, _>(NAME, version, jar, run)
}

/// Compiles a jar's program without running it, and gives the plan as Flink writes it.
///
/// # Errors
/// As [`run_jar`].
pub fn plan_jar_document(
    version: FlinkMinor,
    jar: &JarId,
    run: &JarRun,
) -> Result<Call<serde_json::Value>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        plan: serde_json::Value,
    }
    impl From<Answer> for serde_json::Value {
        fn from(answer: Answer) -> Self {
            answer.plan
        }
    }
    plan_call::<Answer, _>("plan of the jar", version, jar, run)
}

fn plan_call<A, T>(
    name: &'static str,
    version: FlinkMinor,
    jar: &JarId,
    run: &JarRun,
) -> Result<Call<T>, Error>
where
    A: serde::de::DeserializeOwned + Into<T>,
{
    // A plan has no state: Flink refuses these fields up to 1.17.
    let run = JarRun {
        savepoint_path: None,
        allow_non_restored_state: false,
        restore_mode: None,
        ..run.clone()
    };
    let body = RunBody::of(name, version, &run)?;
    let path = format!("/jars/{}/plan", path::escape(jar.as_str()));
    Ok(call::post_as::<A, _>(name, path, &body))
}

/// Deletes a jar of a session.
pub fn delete_jar(jar: &JarId) -> Call<()> {
    let path = format!("/jars/{}", path::escape(jar.as_str()));
    call::command("deletion of the jar", Method::DELETE, path)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_class: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    program_args_list: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    parallelism: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_non_restored_state: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    savepoint_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_mode: Option<RestoreMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_mode: Option<RestoreMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flink_configuration: Option<&'a BTreeMap<String, String>>,
}

impl<'a> RunBody<'a> {
    fn of(call: &'static str, version: FlinkMinor, run: &'a JarRun) -> Result<Self, Error> {
        const MODE: FlinkMinor = FlinkMinor::new(1, 15);
        const CLAIM_MODE: FlinkMinor = FlinkMinor::new(1, 20);
        const OPTIONS: FlinkMinor = FlinkMinor::new(1, 17);
        if run.restore_mode.is_some() && version < MODE {
            return Err(Error::TooOld { call, what: "a restore mode", since: MODE, version });
        }
        if !run.configuration.is_empty() && version < OPTIONS {
            let what = "configuration of a single job";
            return Err(Error::TooOld { call, what, since: OPTIONS, version });
        }
        Ok(Self {
            entry_class: run.entry_class.as_deref(),
            program_args_list: &run.arguments,
            parallelism: run.parallelism,
            job_id: run.job_id,
            allow_non_restored_state: run.allow_non_restored_state.then_some(true),
            savepoint_path: run.savepoint_path.as_deref(),
            restore_mode: run.restore_mode.filter(|_| version < CLAIM_MODE),
            claim_mode: run.restore_mode.filter(|_| version >= CLAIM_MODE),
            flink_configuration: (!run.configuration.is_empty()).then_some(&run.configuration),
        })
    }
}

/// A line that the content does not hold. A jar is compressed data, so the first one nearly always does.
fn unused_boundary(content: &[u8]) -> String {
    (0..=u64::MAX)
        .map(|number| format!("flumen-jar-boundary-{number}"))
        .find(|line| !content.windows(line.len()).any(|window| window == line.as_bytes()))
        .expect("a content of finite length leaves a number unused")
}
