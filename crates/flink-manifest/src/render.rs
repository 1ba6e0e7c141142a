//! From the specification to the objects: the client's keys, the checks, the decorators, the
//! Deployment.

use std::collections::BTreeMap;

use flumen_flink_conf::Configuration;
use flumen_model::FlinkMinor;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    DeploySpec, Error, Manifests, Names, Object, Warning, checks, client_keys, decorators,
    deployment,
    feature::{Feature, SORTED_OBJECTS},
    keys,
    manifests::owner,
    pod::FlinkPod,
    template,
};

/// Makes the objects that Flink's client of this version would create.
///
/// # Errors
/// What that client refuses: a cluster id, port, number of JobManagers, limit factor, jar, claim or
/// template that cannot be; values of options that cannot be read; memory that does not add up.
pub fn render(spec: &DeploySpec) -> Result<Manifests, Error> {
    let (configuration, warnings) = client_keys(spec)?;
    let mut render = Render::new(spec, configuration, warnings)?;
    checks::check(&mut render)?;
    render.pod = template::job_manager_pod(&mut render)?;
    decorators::decorate(&mut render)?;
    let deployment = deployment::build(&render)?;
    let mut accompanying = std::mem::take(&mut render.objects);
    if SORTED_OBJECTS.is_in(render.minor()) {
        accompanying.sort_by(|one, other| one.rank().cmp(&other.rank()));
    }
    Ok(Manifests {
        names: render.names,
        namespace: render.namespace,
        deployment,
        accompanying,
        configuration: render.configuration,
        warnings: render.warnings,
    })
}

/// One rendering under way.
#[derive(Debug)]
pub(crate) struct Render<'a> {
    pub(crate) spec: &'a DeploySpec,
    pub(crate) names: Names,
    pub(crate) namespace: String,
    /// The effective configuration; decorators write to it before it is serialised.
    pub(crate) configuration: Configuration,
    pub(crate) pod: FlinkPod,
    pub(crate) objects: Vec<Object>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Render<'a> {
    fn new(
        spec: &'a DeploySpec,
        configuration: Configuration,
        warnings: Vec<Warning>,
    ) -> Result<Self, Error> {
        let id = configuration.string(keys::CLUSTER_ID)?.ok_or(Error::ClusterIdMissing)?;
        let namespace = configuration.string(keys::NAMESPACE)?.unwrap_or_default();
        Ok(Self {
            spec,
            names: Names::new(id),
            namespace,
            configuration,
            pod: FlinkPod::default(),
            objects: Vec::new(),
            warnings,
        })
    }

    pub(crate) fn minor(&self) -> FlinkMinor {
        self.spec.version.minor()
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        feature.is_in(self.minor())
    }

    /// The option's value or default; a blank one is as good as none.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.configuration.string(key)?.filter(|text| !text.trim().is_empty()))
    }

    /// The option's value or default, which may be blank.
    pub(crate) fn text_or_empty(&self, key: &str) -> Result<String, Error> {
        Ok(self.configuration.string(key)?.unwrap_or_default())
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, Error> {
        Ok(self.configuration.boolean(key)?.unwrap_or_default())
    }

    pub(crate) fn map(&self, key: &str) -> Result<BTreeMap<String, String>, Error> {
        Ok(self.configuration.map(key)?.unwrap_or_default())
    }

    pub(crate) fn host_network(&self) -> Result<bool, Error> {
        Ok(self.has(crate::feature::HOST_NETWORK) && self.flag(keys::HOST_NETWORK)?)
    }

    /// The labels by which Services and the Deployment find the JobManager's pods.
    pub(crate) fn selector(&self) -> Result<BTreeMap<String, String>, Error> {
        if self.has(crate::feature::USER_LABELS_SELECT) {
            self.job_manager_labels()
        } else {
            Ok(self.names.job_manager_selector())
        }
    }

    /// The user's labels for the JobManager under those of Flink.
    pub(crate) fn job_manager_labels(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut labels = self.map("kubernetes.jobmanager.labels")?;
        labels.extend(self.names.job_manager_selector());
        Ok(labels)
    }

    /// Metadata of an object that the Deployment owns.
    pub(crate) fn owned(&self, name: String, labels: BTreeMap<String, String>) -> ObjectMeta {
        let mut all = self.spec.marks.labels.clone();
        all.extend(labels);
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.namespace.clone()),
            labels: some(all),
            owner_references: Some(vec![owner(&self.names)]),
            ..ObjectMeta::default()
        }
    }
}

/// Kubernetes makes no difference between an empty map and none; the objects have none.
pub(crate) fn some<K: Ord, V>(map: BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}
