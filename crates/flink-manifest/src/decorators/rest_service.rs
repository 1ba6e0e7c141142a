//! The Service of the REST API, in one of four shapes.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::{
    Error, Object,
    client_keys::cluster::port,
    feature::{HEADLESS_REST, REST_LABELS},
    keys,
    render::{Render, some},
};

const HEADLESS: &str = "Headless_ClusterIP";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let exposed = render.configuration.word(keys::EXPOSED_TYPE)?.unwrap_or_default();
    let headless = exposed == HEADLESS;
    if headless && !render.has(HEADLESS_REST) {
        return Err(Error::ExposedType {
            value: exposed,
            minor: render.minor(),
            allowed: "ClusterIP, NodePort and LoadBalancer",
        });
    }
    let mut labels = render.names.labels();
    if render.has(REST_LABELS) {
        labels.extend(render.map("kubernetes.rest-service.labels")?);
    }
    let mut metadata = render.owned(render.names.rest_service(), labels);
    metadata.annotations = some(render.map("kubernetes.rest-service.annotations")?);
    let target = port(&render.configuration, keys::REST_BIND_PORT)?;
    let service = Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(if headless { "ClusterIP".to_owned() } else { exposed }),
            cluster_ip: headless.then(|| "None".to_owned()),
            ports: Some(vec![ServicePort {
                name: Some("rest".to_owned()),
                port: i32::from(port(&render.configuration, keys::REST_PORT)?),
                target_port: Some(IntOrString::Int(i32::from(target))),
                ..ServicePort::default()
            }]),
            selector: some(render.selector()?),
            ..ServiceSpec::default()
        }),
        status: None,
    };
    render.objects.push(Object::Service(Box::new(service)));
    Ok(())
}
