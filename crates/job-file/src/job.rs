//! One document of the file: a job.

use flumen_model::{
    ArtifactRole, ArtifactUrl, FlinkVersion, InterventionPolicy, JobKind, JobManagerResources,
    JobSpec, LeftoverPolicy, Mode, PodTemplates, Resources, RestartPolicy, TaskManagerResources,
    UpgradeMode,
};

use crate::{
    configuration, dependencies,
    fields::{Field, Fields, Report},
    json, python, variables,
};

pub(crate) const KEYS: [&str; 21] = [
    "name",
    "environment",
    "flinkVersion",
    "mode",
    "session",
    "kind",
    "artifact",
    "dependencies",
    "mainClass",
    "module",
    "arguments",
    "variables",
    "parallelism",
    "configuration",
    "resources",
    "podTemplates",
    "upgradeMode",
    "restartPolicy",
    "interventions",
    "leftovers",
    "allowNonRestoredState",
];
/// What every job file has.
pub(crate) const REQUIRED: [&str; 4] = ["name", "environment", "flinkVersion", "artifact"];
pub(crate) const MODES: [(&str, Mode); 2] =
    [("application", Mode::Application), ("session", Mode::Session)];
pub(crate) const KINDS: [(&str, JobKind); 3] =
    [("jar", JobKind::Jar), ("sql", JobKind::Sql), ("python", JobKind::Python)];
pub(crate) const ROLES: [(&str, ArtifactRole); 7] = [
    ("usrlib", ArtifactRole::Usrlib),
    ("lib", ArtifactRole::Lib),
    ("plugin", ArtifactRole::Plugin),
    ("script", ArtifactRole::Script),
    ("python", ArtifactRole::Python),
    ("archive", ArtifactRole::Archive),
    ("requirements", ArtifactRole::Requirements),
];
pub(crate) const UPGRADE_MODES: [(&str, UpgradeMode); 3] = [
    ("stateful", UpgradeMode::Stateful),
    ("last-state", UpgradeMode::LastState),
    ("stateless", UpgradeMode::Stateless),
];
pub(crate) const INTERVENTIONS: [(&str, InterventionPolicy); 2] =
    [("accept", InterventionPolicy::Accept), ("restart", InterventionPolicy::Restart)];
pub(crate) const LEFTOVERS: [(&str, LeftoverPolicy); 3] = [
    ("own", LeftoverPolicy::Own),
    ("remove", LeftoverPolicy::Remove),
    ("refuse", LeftoverPolicy::Refuse),
];

/// The job, or `None` if the report says why there is none. The report may have grown either way.
pub(crate) fn read(document: &Field<'_>, report: &mut Report) -> Option<JobSpec> {
    let fields = Fields::new(document, &KEYS, report)?;
    let name = fields.required("name", report).and_then(|field| field.parsed(report));
    let environment = fields.required("environment", report).and_then(|field| field.parsed(report));
    let version = fields.required("flinkVersion", report).and_then(|field| field.parsed(report));
    let artifact = fields.required("artifact", report).and_then(|field| artifact(&field, report));
    let mode = fields.get("mode").and_then(|field| field.choice(&MODES, report));
    let mode = mode.unwrap_or_default();
    let session = session(mode, &fields, report);
    let kind = fields.get("kind").and_then(|field| field.choice(&KINDS, report));
    let upgrade_mode =
        fields.get("upgradeMode").and_then(|field| field.choice(&UPGRADE_MODES, report));
    if kind == Some(JobKind::Sql) {
        refuse_program(&fields, report);
    }
    let dependencies = fields.get("dependencies").map(|field| dependencies::read(&field, report));
    python::check(kind.unwrap_or_default(), &fields, report);
    let variables = variables::read(kind.unwrap_or_default(), &fields, report);
    let arguments = fields.get("arguments").map(|field| arguments(&field, report));
    let configuration = fields.get("configuration").map(|field| {
        let options = configuration::read(&field, report);
        let minor = version.map(|version: FlinkVersion| version.minor());
        minor.inspect(|minor| options.check(&field, *minor, report));
        options.values
    });
    let resources = fields.get("resources").and_then(|field| resources(&field, report));
    let templates = fields.get("podTemplates").and_then(|field| pod_templates(&field, report));
    let restart_policy =
        fields.get("restartPolicy").and_then(|field| restart_policy(&field, report));
    let interventions =
        fields.get("interventions").and_then(|field| field.choice(&INTERVENTIONS, report));
    let leftovers = fields.get("leftovers").and_then(|field| field.choice(&LEFTOVERS, report));
    let drops_state = fields.get("allowNonRestoredState").and_then(|field| field.flag(report));
    Some(JobSpec {
        main_class: fields.get("mainClass").and_then(|field| owned(&field, report)),
        module: fields.get("module").and_then(|field| python::module(&field, report)),
        parallelism: fields.get("parallelism").and_then(|field| field.count(report)),
        name: name?,
        environment: environment?,
        flink_version: version?,
        artifact: artifact?,
        mode,
        session,
        kind: kind.unwrap_or_default(),
        dependencies: dependencies.unwrap_or_default(),
        arguments: arguments.unwrap_or_default(),
        variables,
        configuration: configuration.unwrap_or_default(),
        resources: resources.unwrap_or_default(),
        pod_templates: templates.unwrap_or_default(),
        upgrade_mode: upgrade_mode.unwrap_or_default(),
        restart_policy: restart_policy.unwrap_or_default(),
        interventions: interventions.unwrap_or_default(),
        leftovers: leftovers.unwrap_or_default(),
        allow_non_restored_state: drops_state.unwrap_or_default(),
    })
}

pub(crate) fn owned(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = field.text(report)?;
    if text.trim().is_empty() {
        field.refuse("a text that is not empty", report);
        return None;
    }
    Some(text.to_owned())
}

fn artifact(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = owned(field, report)?;
    if ArtifactUrl::is_meant(&text) {
        return field.parsed::<ArtifactUrl>(report).map(String::from);
    }
    Some(text)
}

fn session(mode: Mode, fields: &Fields<'_>, report: &mut Report) -> Option<String> {
    match mode {
        Mode::Session => fields.required("session", report).and_then(|field| owned(&field, report)),
        Mode::Application => {
            let field = fields.get("session")?;
            let message = "is given, but the job runs in a cluster of its own; write mode: session, or leave it out";
            report.add(field.node.at, &field.key, message);
            None
        }
    }
}

/// A SQL job is what its script says, and the script is read before anything runs.
fn refuse_program(fields: &Fields<'_>, report: &mut Report) {
    for key in ["mainClass", "arguments"] {
        if let Some(field) = fields.get(key) {
            let message =
                "is given, but a script in SQL is run by Flumen's own program; leave it out";
            report.add(field.node.at, &field.key, message);
        }
    }
    if let Some(field) = fields.get("artifact")
        && field.text(report).is_some_and(|text| text.starts_with("local:"))
    {
        let message = "is in the image, where Flumen cannot read it; a SQL job needs its script beside the job file";
        report.add(field.node.at, &field.key, message);
    }
}

fn arguments(field: &Field<'_>, report: &mut Report) -> Vec<String> {
    let items = field.items("a list of texts", report);
    items.iter().filter_map(|item| item.text(report).map(str::to_owned)).collect()
}

fn resources(field: &Field<'_>, report: &mut Report) -> Option<Resources> {
    let fields = Fields::new(field, &["jobManager", "taskManager"], report)?;
    let job_manager = fields.get("jobManager").and_then(|field| job_manager(&field, report));
    let task_manager = fields.get("taskManager").and_then(|field| task_manager(&field, report));
    Some(Resources {
        job_manager: job_manager.unwrap_or_default(),
        task_manager: task_manager.unwrap_or_default(),
    })
}

fn job_manager(field: &Field<'_>, report: &mut Report) -> Option<JobManagerResources> {
    let fields = Fields::new(field, &["cpu", "memory", "replicas"], report)?;
    Some(JobManagerResources {
        cpu: fields.get("cpu").and_then(|field| field.cores(report)),
        memory: fields.get("memory").and_then(|field| field.parsed(report)),
        replicas: fields.get("replicas").and_then(|field| field.count(report)),
    })
}

fn task_manager(field: &Field<'_>, report: &mut Report) -> Option<TaskManagerResources> {
    let fields = Fields::new(field, &["cpu", "memory", "slots"], report)?;
    Some(TaskManagerResources {
        cpu: fields.get("cpu").and_then(|field| field.cores(report)),
        memory: fields.get("memory").and_then(|field| field.parsed(report)),
        slots: fields.get("slots").and_then(|field| field.count(report)),
    })
}

fn restart_policy(field: &Field<'_>, report: &mut Report) -> Option<RestartPolicy> {
    let known = ["attempts", "backOff", "maxBackOff", "window", "startTimeout"];
    let fields = Fields::new(field, &known, report)?;
    let mut time = |key| fields.get(key).and_then(|field| field.duration(report));
    let standard = RestartPolicy::STANDARD;
    let (back_off, max_back_off) = (time("backOff"), time("maxBackOff"));
    let (window, start_timeout) = (time("window"), time("startTimeout"));
    let policy = RestartPolicy {
        attempts: fields.get("attempts").and_then(|field| field.number(report)),
        back_off: back_off.unwrap_or(standard.back_off),
        max_back_off: max_back_off.unwrap_or(standard.max_back_off),
        window: window.unwrap_or(standard.window),
        start_timeout,
    };
    if policy.max_back_off < policy.back_off {
        let given = fields.get(if max_back_off.is_some() { "maxBackOff" } else { "backOff" })?;
        let message = format!(
            "the longest wait (maxBackOff, {:#}) is shorter than the first (backOff, {:#})",
            policy.max_back_off, policy.back_off
        );
        report.add(given.node.at, &given.key, message);
    }
    Some(policy)
}

fn pod_templates(field: &Field<'_>, report: &mut Report) -> Option<PodTemplates> {
    let fields = Fields::new(field, &["common", "jobManager", "taskManager"], report)?;
    let mut template = |key| fields.get(key).and_then(|field| json::object(&field, report));
    Some(PodTemplates {
        common: template("common"),
        job_manager: template("jobManager"),
        task_manager: template("taskManager"),
    })
}
