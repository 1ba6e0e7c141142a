//! What differs between Flink's minors, as data: one constant for each thing that the client does
//! only since or only until a minor. The table in the documentation is made from [`ALL`].

pub use flumen_flink_conf::Feature;

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $when:ident $major:literal . $minor:literal : $what:literal;)*) => {
        $(
            #[doc = $what]
            pub const $name: Feature = Feature::$when($major, $minor, $what);
        )*

        /// Every feature, by name, in the order of the objects they concern.
        pub const ALL: &[(&str, Feature)] = &[$((stringify!($name), $name)),*];
    };
}

features! {
    ENV_FROM_SECRETS = since 1 . 12: "environment variables from Secrets (`kubernetes.env.secretKeyRef`)";
    SECRET_MOUNTS = since 1 . 12: "Secrets as files (`kubernetes.secrets`)";
    CLAIM_MOUNTS = since 2 . 3: "persistent volume claims (`kubernetes.persistent-volume-claims`)";
    KERBEROS = since 1 . 12: "keytab Secret and krb5.conf ConfigMap";
    KRB5_PATH_FIXED = since 1 . 14: "the krb5 file is called `krb5.conf` in the volume whatever its local name";
    DECORATOR_SWITCHES = since 1 . 17: "`kubernetes.decorator.*.enabled` switch the Hadoop and Kerberos mounts off";
    POD_TEMPLATES = since 1 . 13: "pod templates";
    OWNER_REFERENCES = since 1 . 12: "owner of the Deployment (`kubernetes.jobmanager.owner.reference`)";
    REPLICAS = since 1 . 14: "standby JobManagers (`kubernetes.jobmanager.replicas`)";
    DEPLOYMENT_ANNOTATIONS = since 1 . 14: "`kubernetes.jobmanager.annotations` stand on the Deployment too";
    USER_LABELS_SELECT = until 1 . 12: "the user's JobManager labels are part of every selector";
    MAIN_CONTAINER_BY_ROLE = until 1 . 12: "the main container is called `flink-job-manager`";
    SERVICE_ACCOUNT_TWICE = since 1 . 13: "the deprecated `serviceAccount` is written beside `serviceAccountName`";
    SHARED_SERVICE_ACCOUNT = since 1 . 12: "`kubernetes.service-account` is the default of both roles";
    HOST_NETWORK = since 1 . 15: "host network and DNS policy are always written";
    LIMIT_FACTORS = since 1 . 15: "limits as a multiple of requests";
    USER_ARTIFACTS = since 1 . 19: "a volume for artifacts that the JobManager fetches";
    LOG_DIRECTORY_VARIABLE = since 1 . 13: "`FLINK_LOG_DIR` from `kubernetes.flink.log.dir`";
    SHELL_COMMAND = since 1 . 13: "pods start through `kubernetes-jobmanager.sh`, before through a line made by the client";
    DOCKER_ENTRY_POINT_WORD = since 1 . 12: "that line is given to the entry point behind `native-k8s`, before behind `/bin/bash -c`";
    ENTRY_POINT_ARGUMENTS = since 1 . 16: "`kubernetes.jobmanager.entrypoint.args`";
    HEADLESS_REST = since 1 . 14: "REST Service of type `Headless_ClusterIP`";
    REST_LABELS = since 2 . 2: "`kubernetes.rest-service.labels`";
    INTERNAL_LABELS = since 2 . 2: "`kubernetes.internal-service.labels`";
    INTERNAL_ANNOTATIONS = since 1 . 20: "`kubernetes.internal-service.annotations`";
    HOSTS_NOT_SHIPPED = since 1 . 15: "bind addresses of the client are not shipped to the cluster";
    CONSOLE_LOGGING_FILES = since 1 . 12: "the logging files for containers are `*-console.*`";
    ALL_LOGGING_FILES = since 2 . 1: "every logging file of the client's folder is shipped";
    SORTED_OBJECTS = until 1 . 17: "objects are created by kind and name, later in the order of the decorators";
    PYTHON_APPLICATIONS = since 1 . 12: "Python programs in application mode";
    ANY_JAR_SCHEME = since 1 . 19: "the job's jar may lie anywhere that Flink can read";
    NO_JAR = since 2 . 0: "an application may do without a jar of its own";
    EMPTY_LISTS_WRITTEN = until 1 . 20: "empty lists of jars, class paths and arguments are written";
    RESTORE_MODE = since 1 . 15: "a snapshot is restored with a mode (claim or not)";
    STATE_RECOVERY_KEYS = since 1 . 20: "restore options are called `execution.state-recovery.*`";
    RENAMED_OPTIONS = since 1 . 17: "short keys have new names that are no prefix of another";
    JAVA_MODULES_OPENED = since 1 . 18: "the distribution's own configuration file opens the modules of Java 17";
    KUBERNETES_HA = since 1 . 12: "high availability by ConfigMaps";
    FACTORY_CLASS_ONLY_HA = until 1 . 16: "it is chosen by its factory class";
}

#[cfg(test)]
mod tests {
    use flumen_model::FlinkMinor;

    use super::*;

    #[test]
    fn a_feature_is_in_the_minors_from_its_first_to_its_last() {
        let has = |feature: Feature| -> Vec<String> {
            let minors = FlinkMinor::SUPPORTED.iter().filter(|minor| feature.is_in(**minor));
            minors.map(ToString::to_string).collect()
        };
        assert_eq!(has(MAIN_CONTAINER_BY_ROLE), ["1.11", "1.12"]);
        assert_eq!(has(REST_LABELS), ["2.2", "2.3"]);
        assert_eq!(has(ANY_JAR_SCHEME).len(), 6);
    }
}
