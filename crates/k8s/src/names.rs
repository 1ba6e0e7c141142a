//! Labels, annotations and names on the objects of a native Flink cluster, as Flink writes them
//! (`org.apache.flink.kubernetes.utils.Constants`), and Flumen's own.

use flumen_model::ClusterId;

/// The label with the cluster id.
pub const LABEL_APP: &str = "app";
/// The label with the part of Flink: `jobmanager` or `taskmanager`.
pub const LABEL_COMPONENT: &str = "component";
/// The label that all objects of native clusters have.
pub const LABEL_TYPE: &str = "type";
/// The value of [`LABEL_TYPE`].
pub const NATIVE_TYPE: &str = "flink-native-kubernetes";
/// The container that runs Flink.
pub const MAIN_CONTAINER: &str = "flink-main-container";
/// Who Flumen is to server-side apply.
pub const FIELD_MANAGER: &str = "flumen";

/// Whether `name` is the name of a ConfigMap in which the JobManager of this cluster keeps its leader and
/// its pointers to state. 1.12 to 1.14 have one for each leader, 1.15 and later one for the cluster and one
/// for each job. The label `configmap-type` is no help: 2.0 dropped it.
pub fn is_ha_config_map(cluster: &ClusterId, name: &str) -> bool {
    let of_cluster = matches!(
        below(cluster, name),
        Some(
            "cluster-config-map"
                | "dispatcher-leader"
                | "resourcemanager-leader"
                | "restserver-leader"
        )
    );
    of_cluster || is_job_config_map(cluster, name)
}

/// Whether `name` is the name of the ConfigMap in which the JobManager of this cluster keeps its pointers to
/// the state of one job.
pub(crate) fn is_job_config_map(cluster: &ClusterId, name: &str) -> bool {
    let of_job = |suffix: &str| {
        below(cluster, name).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(|job| {
            job.len() == 32 && job.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    of_job("-config-map") || of_job("-jobmanager-leader")
}

fn below<'a>(cluster: &ClusterId, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(cluster.as_str())?.strip_prefix('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "00000000000000000000000000000000";

    #[test]
    fn the_config_maps_of_both_schemes_are_found_by_name() {
        let cluster: ClusterId = "word-count".parse().unwrap();
        for rest in [
            "cluster-config-map",
            "dispatcher-leader",
            "resourcemanager-leader",
            "restserver-leader",
            &format!("{JOB}-config-map"),
            &format!("{JOB}-jobmanager-leader"),
        ] {
            assert!(is_ha_config_map(&cluster, &format!("word-count-{rest}")), "{rest}");
        }
    }

    #[test]
    fn configuration_and_the_config_maps_of_clusters_with_a_longer_name_are_left_alone() {
        let cluster: ClusterId = "word".parse().unwrap();
        for name in [
            "flink-config-word",
            "pod-template-word",
            "word",
            "word-config-map",
            "word-count-cluster-config-map",
            &format!("word-count-{JOB}-config-map"),
            &format!("word-{}-config-map", &JOB[1..]),
        ] {
            assert!(!is_ha_config_map(&cluster, name), "{name}");
        }
    }
}
