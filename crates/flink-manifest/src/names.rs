//! Names and labels of the objects of a cluster, which are part of Flink's contract with itself: the
//! JobManager finds its ConfigMaps and TaskManagers by them.

use std::collections::BTreeMap;

/// The label that everything of a native cluster carries.
pub const TYPE_LABEL: &str = "type";
/// The value of [`TYPE_LABEL`].
pub const TYPE_LABEL_VALUE: &str = "flink-native-kubernetes";

const APP_LABEL: &str = "app";
pub(crate) const COMPONENT_LABEL: &str = "component";
const JOB_MANAGER: &str = "jobmanager";

/// The longest cluster id that Flink takes, so that every name derived from it stays within 63.
pub(crate) const MAX_CLUSTER_ID: usize = 45;

/// What the objects of one cluster are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    cluster_id: String,
}

impl Names {
    /// The names of the cluster with this id.
    pub fn new(cluster_id: impl Into<String>) -> Self {
        Self { cluster_id: cluster_id.into() }
    }

    /// The cluster id, which is the name of the Deployment and of the internal Service.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The Service of the REST API.
    pub fn rest_service(&self) -> String {
        format!("{}-rest", self.cluster_id)
    }

    /// The ConfigMap with Flink's configuration and logging files.
    pub fn configuration(&self) -> String {
        format!("flink-config-{}", self.cluster_id)
    }

    /// The ConfigMap with the Hadoop configuration.
    pub fn hadoop(&self) -> String {
        format!("hadoop-config-{}", self.cluster_id)
    }

    /// The Secret with the Kerberos keytab.
    pub fn keytab(&self) -> String {
        format!("kerberos-keytab-{}", self.cluster_id)
    }

    /// The ConfigMap with `krb5.conf`.
    pub fn krb5(&self) -> String {
        format!("kerberos-krb5conf-{}", self.cluster_id)
    }

    /// The ConfigMap with the TaskManagers' pod template.
    pub fn pod_template(&self) -> String {
        format!("pod-template-{}", self.cluster_id)
    }

    /// The labels of everything that belongs to the cluster.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (TYPE_LABEL.to_owned(), TYPE_LABEL_VALUE.to_owned()),
            (APP_LABEL.to_owned(), self.cluster_id.clone()),
        ])
    }

    /// The labels by which the JobManager's pods are found.
    pub fn job_manager_selector(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels();
        labels.insert(COMPONENT_LABEL.to_owned(), JOB_MANAGER.to_owned());
        labels
    }
}

/// The cluster id that Flink's client makes up where none is given, from 128 random bits: cut to
/// what fits, 124 of them stay.
pub fn generated_cluster_id(random: u128) -> String {
    let mut id = format!("flink-cluster-{random:032x}");
    id.truncate(MAX_CLUSTER_ID);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_id_is_as_long_as_flink_allows() {
        let id = generated_cluster_id(u128::MAX);
        assert_eq!(id, format!("flink-cluster-{}", "f".repeat(31)));
    }
}
