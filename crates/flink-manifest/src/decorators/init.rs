//! What every JobManager pod has: image, account, network, labels, resources, ports, variables.

mod resources;
mod tolerations;

use k8s_openapi::api::core::v1::{
    ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource, LocalObjectReference,
    ObjectFieldSelector, Volume,
};

use crate::{
    Error,
    client_keys::cluster::port,
    feature::{
        HOST_NETWORK, LOG_DIRECTORY_VARIABLE, SERVICE_ACCOUNT_TWICE, SHARED_SERVICE_ACCOUNT,
        USER_ARTIFACTS,
    },
    keys,
    render::{Render, some},
    template::main_container,
};

const POLICY: &str = "kubernetes.container.image.pull-policy";
const ACCOUNT: &str = "kubernetes.jobmanager.service-account";
const SHARED_ACCOUNT: &str = "kubernetes.service-account";
const ARTIFACTS_VOLUME: &str = "user-artifacts-volume";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    account(render)?;
    network(render)?;
    metadata(render)?;
    scheduling(render)?;
    image(render)?;
    resources::decorate(render)?;
    artifacts(render)?;
    ports(render)?;
    variables(render)
}

/// Whichever comes first: an option that is set, the template, the option's default.
fn chosen(
    render: &Render<'_>,
    key: &str,
    template: Option<String>,
) -> Result<Option<String>, Error> {
    let template = template.filter(|_| !render.configuration.is_set(key));
    template.map_or_else(|| render.text(key), |text| Ok(Some(text)))
}

fn account(render: &mut Render<'_>) -> Result<(), Error> {
    let spec = &render.pod.spec;
    let template = spec.service_account_name.clone().or_else(|| spec.service_account.clone());
    let mut account = chosen(render, ACCOUNT, template)?;
    if account.is_none() && render.has(SHARED_SERVICE_ACCOUNT) {
        account = render.text(SHARED_ACCOUNT)?;
    }
    if render.has(SERVICE_ACCOUNT_TWICE) {
        render.pod.spec.service_account.clone_from(&account);
    }
    render.pod.spec.service_account_name = account;
    Ok(())
}

fn network(render: &mut Render<'_>) -> Result<(), Error> {
    if !render.has(HOST_NETWORK) {
        return Ok(());
    }
    let host_network = render.host_network()?;
    let template = render.pod.spec.dns_policy.take().filter(|policy| !policy.trim().is_empty());
    let policy = if host_network {
        "ClusterFirstWithHostNet".to_owned()
    } else {
        template.unwrap_or_else(|| "ClusterFirst".to_owned())
    };
    render.pod.spec.host_network = Some(host_network);
    render.pod.spec.dns_policy = Some(policy);
    Ok(())
}

fn metadata(render: &mut Render<'_>) -> Result<(), Error> {
    let mut labels = render.pod.metadata.labels.take().unwrap_or_default();
    labels.extend(render.spec.marks.labels.clone());
    labels.extend(render.job_manager_labels()?);
    let mut annotations = render.pod.metadata.annotations.take().unwrap_or_default();
    annotations.extend(render.spec.marks.annotations.clone());
    annotations.extend(render.map("kubernetes.jobmanager.annotations")?);
    render.pod.metadata.labels = some(labels);
    render.pod.metadata.annotations = some(annotations);
    Ok(())
}

fn scheduling(render: &mut Render<'_>) -> Result<(), Error> {
    let secrets = render.configuration.list("kubernetes.container.image.pull-secrets")?;
    let references =
        secrets.unwrap_or_default().into_iter().map(|name| LocalObjectReference { name });
    let selector = render.map("kubernetes.jobmanager.node-selector")?;
    let tolerations = tolerations::read(render)?;
    let spec = &mut render.pod.spec;
    let mut pull_secrets = spec.image_pull_secrets.take().unwrap_or_default();
    pull_secrets.extend(references);
    spec.image_pull_secrets = (!pull_secrets.is_empty()).then_some(pull_secrets);
    let mut node_selector = spec.node_selector.take().unwrap_or_default();
    node_selector.extend(selector);
    spec.node_selector = some(node_selector);
    let mut all = spec.tolerations.take().unwrap_or_default();
    all.extend(tolerations);
    spec.tolerations = (!all.is_empty()).then_some(all);
    Ok(())
}

fn image(render: &mut Render<'_>) -> Result<(), Error> {
    let key = keys::IMAGE.key(render.minor());
    let image = chosen(render, key, render.pod.main.image.clone())?;
    let policy =
        if render.pod.main.image_pull_policy.is_some() && !render.configuration.is_set(POLICY) {
            render.pod.main.image_pull_policy.clone()
        } else {
            render.configuration.word(POLICY)?
        };
    main_container(render.minor()).clone_into(&mut render.pod.main.name);
    render.pod.main.image = image;
    render.pod.main.image_pull_policy = policy;
    Ok(())
}

/// Where the JobManager puts what it fetches; there also when nothing is to be fetched.
fn artifacts(render: &mut Render<'_>) -> Result<(), Error> {
    if !render.has(USER_ARTIFACTS) {
        return Ok(());
    }
    let directory = render.text_or_empty("user.artifacts.base-dir")?;
    render.pod.add_volume(Volume {
        name: ARTIFACTS_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    });
    render.pod.mount(ARTIFACTS_VOLUME, &directory);
    Ok(())
}

fn ports(render: &mut Render<'_>) -> Result<(), Error> {
    if render.host_network()? {
        return Ok(());
    }
    for (name, key) in [
        ("rest", keys::REST_PORT),
        ("jobmanager-rpc", keys::RPC_PORT),
        ("blobserver", keys::BLOB_PORT),
    ] {
        let number = port(&render.configuration, key)?;
        render.pod.main.ports.get_or_insert_default().push(ContainerPort {
            name: Some(name.to_owned()),
            container_port: i32::from(number),
            ..ContainerPort::default()
        });
    }
    Ok(())
}

fn variables(render: &mut Render<'_>) -> Result<(), Error> {
    let format = render.configuration.format();
    let given: Vec<_> = render
        .configuration
        .with_prefix("containerized.master.env.")
        .map(|(name, value)| (name.to_owned(), value.to_text(format).into_owned()))
        .collect();
    for (name, value) in given {
        render.pod.set_variable(&name, value);
    }
    render.pod.add_variable(EnvVar {
        name: "_POD_IP_ADDRESS".to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: "status.podIP".to_owned(),
            }),
            ..EnvVarSource::default()
        }),
    });
    if render.has(LOG_DIRECTORY_VARIABLE)
        && let Some(directory) = render.text(keys::LOG_DIRECTORY)?
    {
        render.pod.set_variable("FLINK_LOG_DIR", directory);
    }
    Ok(())
}
