//! The pod that decorators work on: the main container beside the rest of the pod.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, EnvVar, KeyToPath, Pod, PodSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// A pod of Flink in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlinkPod {
    pub(crate) metadata: ObjectMeta,
    /// Without the main container.
    pub(crate) spec: PodSpec,
    pub(crate) main: Container,
}

impl FlinkPod {
    /// Takes the main container out of a pod; the last of that name counts.
    pub(crate) fn from_pod(pod: Pod, main_container: &str) -> Self {
        let mut spec = pod.spec.unwrap_or_default();
        let mut main = Container::default();
        let containers = std::mem::take(&mut spec.containers);
        for container in containers {
            if container.name == main_container {
                main = container;
            } else {
                spec.containers.push(container);
            }
        }
        Self { metadata: pod.metadata, spec, main }
    }

    pub(crate) fn add_volume(&mut self, volume: Volume) {
        self.spec.volumes.get_or_insert_default().push(volume);
    }

    /// Mounts a volume into the main container.
    pub(crate) fn mount(&mut self, volume: &str, path: &str) {
        self.add_mount(VolumeMount {
            name: volume.to_owned(),
            mount_path: path.to_owned(),
            ..VolumeMount::default()
        });
    }

    pub(crate) fn add_mount(&mut self, mount: VolumeMount) {
        self.main.volume_mounts.get_or_insert_default().push(mount);
    }

    pub(crate) fn add_variable(&mut self, variable: EnvVar) {
        self.main.env.get_or_insert_default().push(variable);
    }

    pub(crate) fn set_variable(&mut self, name: &str, value: impl Into<String>) {
        self.add_variable(EnvVar {
            name: name.to_owned(),
            value: Some(value.into()),
            value_from: None,
        });
    }

    /// Adds a volume with some keys of a ConfigMap, each with its path in the volume.
    pub(crate) fn add_config_map(
        &mut self,
        volume: &str,
        config_map: &str,
        items: &[(&str, &str)],
    ) {
        let item = |(key, path): &(&str, &str)| KeyToPath {
            key: (*key).to_owned(),
            path: (*path).to_owned(),
            mode: None,
        };
        let items: Vec<_> = items.iter().map(item).collect();
        self.add_volume(Volume {
            name: volume.to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: config_map.to_owned(),
                items: (!items.is_empty()).then_some(items),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
}
