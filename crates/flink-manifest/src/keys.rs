//! The options that rendering reads or writes, as Flink spells them, and those that were renamed.

use flumen_model::FlinkMinor;

use crate::feature::RENAMED_OPTIONS;

pub(crate) const TARGET: &str = "execution.target";
pub(crate) const CLUSTER_ID: &str = "kubernetes.cluster-id";
pub(crate) const NAMESPACE: &str = "kubernetes.namespace";
pub(crate) const ENTRY_CLASS: &str = "kubernetes.internal.jobmanager.entrypoint.class";
pub(crate) const CONFIG_DIRECTORY: &str = "kubernetes.flink.conf.dir";
pub(crate) const LOG_DIRECTORY: &str = "kubernetes.flink.log.dir";
pub(crate) const JOB_MANAGER_TEMPLATE: &str = "kubernetes.pod-template-file.jobmanager";
pub(crate) const TASK_MANAGER_TEMPLATE: &str = "kubernetes.pod-template-file.taskmanager";
pub(crate) const EXPOSED_TYPE: &str = "kubernetes.rest-service.exposed.type";
pub(crate) const HOST_NETWORK: &str = "kubernetes.hostnetwork.enabled";
pub(crate) const REPLICAS: &str = "kubernetes.jobmanager.replicas";

pub(crate) const REST_PORT: &str = "rest.port";
pub(crate) const REST_BIND_PORT: &str = "rest.bind-port";
pub(crate) const RPC_PORT: &str = "jobmanager.rpc.port";
pub(crate) const BLOB_PORT: &str = "blob.server.port";
pub(crate) const TASK_MANAGER_RPC_PORT: &str = "taskmanager.rpc.port";
pub(crate) const RPC_ADDRESS: &str = "jobmanager.rpc.address";

pub(crate) const HA_CLUSTER_ID: &str = "high-availability.cluster-id";
pub(crate) const HA_PORT: &str = "high-availability.jobmanager.port";
pub(crate) const HA_STORAGE: &str = "high-availability.storageDir";

pub(crate) const JARS: &str = "pipeline.jars";
pub(crate) const CLASS_PATHS: &str = "pipeline.classpaths";
pub(crate) const PROGRAM_ARGUMENTS: &str = "$internal.application.program-args";
pub(crate) const MAIN_CLASS: &str = "$internal.application.main";
pub(crate) const FIXED_JOB_ID: &str = "$internal.pipeline.job-id";
pub(crate) const ATTACHED: &str = "execution.attached";
pub(crate) const SHUTDOWN_ON_EXIT: &str = "execution.shutdown-on-attached-exit";
pub(crate) const PARALLELISM: &str = "parallelism.default";

pub(crate) const KEYTAB: &str = "security.kerberos.login.keytab";
pub(crate) const PRINCIPAL: &str = "security.kerberos.login.principal";
pub(crate) const KRB5: &str = "security.kerberos.krb5-conf.path";

/// An option that got a new key in 1.17, because its old one is a prefix of other keys.
pub(crate) struct Renamed {
    old: &'static str,
    new: &'static str,
}

impl Renamed {
    /// The key in this minor.
    pub(crate) fn key(&self, minor: FlinkMinor) -> &'static str {
        if RENAMED_OPTIONS.is_in(minor) { self.new } else { self.old }
    }
}

pub(crate) const IMAGE: Renamed =
    Renamed { old: "kubernetes.container.image", new: "kubernetes.container.image.ref" };
pub(crate) const JOB_MANAGER_CPU: Renamed =
    Renamed { old: "kubernetes.jobmanager.cpu", new: "kubernetes.jobmanager.cpu.amount" };
pub(crate) const TASK_MANAGER_CPU: Renamed =
    Renamed { old: "kubernetes.taskmanager.cpu", new: "kubernetes.taskmanager.cpu.amount" };
pub(crate) const HIGH_AVAILABILITY: Renamed =
    Renamed { old: "high-availability", new: "high-availability.type" };
pub(crate) const JAVA_OPTIONS: Renamed = Renamed { old: "env.java.opts", new: "env.java.opts.all" };
