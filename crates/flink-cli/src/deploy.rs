//! Creation of a cluster: everything is made and checked first, the Deployment goes first, and what
//! this attempt created is taken away again if the rest cannot be created.

use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{DeploySpec, Manifests, Marks, Mode, generated_cluster_id, render};
use flumen_k8s::Guard;

use crate::{
    Error, Surroundings, artifacts, client_files,
    connect::{Place, connect},
    effective::{self, CLUSTER_ID},
    endpoint,
    home::Home,
};

/// What Flink's client says when a cluster was created, up to the address.
pub(crate) const CREATED: &str = "successfully, JobManager Web Interface:";

/// A cluster that was created.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) cluster_id: String,
    /// Of its Deployment.
    pub(crate) uid: String,
    /// Where its REST API can be found by those who reach it.
    pub(crate) address: String,
}

/// Makes the objects and creates them.
pub(crate) async fn deploy(
    home: &Home,
    mut mode: Mode,
    mut configuration: Configuration,
    surroundings: &mut Surroundings<'_>,
) -> Result<(Place, Deployed), Error> {
    for doubt in effective::doubts(&configuration) {
        surroundings.warn(doubt);
    }
    if configuration.get(CLUSTER_ID).is_none() {
        configuration.set_text(CLUSTER_ID, generated_cluster_id(uuid::Uuid::new_v4().as_u128()));
    }
    let uploads = artifacts::plan(&mut mode, &mut configuration, surroundings)?;
    let files = client_files::read(home, &configuration, surroundings)?;
    let spec =
        DeploySpec { version: home.version, mode, configuration, files, marks: Marks::default() };
    let manifests = render(&spec)?;
    for warning in &manifests.warnings {
        surroundings.warn(warning);
    }
    let place = connect(&manifests.configuration, surroundings).await?;
    refuse_second(&place, manifests.names.cluster_id()).await?;
    for upload in &uploads {
        upload.carry_out()?;
    }
    let deployed = create(&place, &manifests).await?;
    Ok((place, deployed))
}

async fn create(place: &Place, manifests: &Manifests) -> Result<Deployed, Error> {
    let cluster_id = manifests.names.cluster_id().to_owned();
    let Place { cluster, namespace } = place;
    let failed = |left: String, source| Error::Create {
        cluster_id: cluster_id.clone(),
        left,
        source: Box::new(source),
    };
    let created = cluster.create_objects(namespace, &manifests.deployment, &[]).await;
    let uid = created.map_err(|error| failed("Nothing was deleted".to_owned(), error))?.uid;
    let owned = manifests.clone().with_owner(&uid);
    let others = &owned.objects()[1..];
    if let Err(error) = cluster.create_owned_objects(namespace, (&cluster_id, &uid), others).await {
        // Only the Deployment that was created just now, told by its uid, and what it owns.
        let deleted = cluster.delete_deployment(namespace, &*cluster_id, &Guard::Uid(uid)).await;
        let left = match deleted {
            Ok(_) => "The Deployment that was created for it is deleted again".to_owned(),
            Err(error) => format!("Its Deployment is left behind: {error}"),
        };
        return Err(failed(left, error));
    }
    let address = endpoint::address(place, &manifests.configuration, &cluster_id).await;
    Ok(Deployed { cluster_id, uid, address })
}

/// Flink's client looks at the Service only; its Deployment alone is a cluster too.
async fn refuse_second(place: &Place, cluster_id: &str) -> Result<(), Error> {
    let Place { cluster, namespace } = place;
    let exists = |what: String| Error::AlreadyExists { cluster_id: cluster_id.to_owned(), what };
    if cluster.rest_service(namespace, cluster_id).await?.is_some() {
        return Err(exists(format!("Service {namespace}/{cluster_id}-rest")));
    }
    if cluster.deployment_uid(namespace, cluster_id).await?.is_some() {
        return Err(exists(format!("Deployment {namespace}/{cluster_id}")));
    }
    Ok(())
}

/// The line that Flink's client logs to the console, in its form.
pub(crate) fn logged(message: &str) -> String {
    let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string();
    let logger = "org.apache.flink.kubernetes.KubernetesClusterDescriptor";
    format!("{now} INFO  {logger:<60} [] - {message}")
}
