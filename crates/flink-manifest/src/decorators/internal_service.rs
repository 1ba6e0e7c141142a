//! The headless Service by which TaskManagers find the JobManager. With high availability they look
//! for the leader elsewhere, and there is no such Service.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use crate::{
    Error, Object,
    client_keys::cluster::{high_availability, port},
    feature::{INTERNAL_ANNOTATIONS, INTERNAL_LABELS},
    keys,
    render::{Render, some},
};

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    if high_availability(&render.configuration)? {
        return Ok(());
    }
    let name = render.names.cluster_id().to_owned();
    let mut labels = render.names.labels();
    if render.has(INTERNAL_LABELS) {
        labels.extend(render.map("kubernetes.internal-service.labels")?);
    }
    let mut metadata = render.owned(name.clone(), labels);
    if render.has(INTERNAL_ANNOTATIONS) {
        metadata.annotations = some(render.map("kubernetes.internal-service.annotations")?);
    }
    let ports = vec![
        service_port("jobmanager-rpc", port(&render.configuration, keys::RPC_PORT)?),
        service_port("blobserver", port(&render.configuration, keys::BLOB_PORT)?),
    ];
    let service = Service {
        metadata,
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            ports: Some(ports),
            selector: some(render.selector()?),
            ..ServiceSpec::default()
        }),
        status: None,
    };
    render.objects.push(Object::Service(Box::new(service)));
    let address = format!("{name}.{}", render.namespace);
    render.configuration.set_text(keys::RPC_ADDRESS, address);
    Ok(())
}

fn service_port(name: &str, number: u16) -> ServicePort {
    ServicePort { name: Some(name.to_owned()), port: i32::from(number), ..ServicePort::default() }
}
