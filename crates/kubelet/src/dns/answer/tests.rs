use std::collections::BTreeMap;

use hickory_proto::op::Query;

use super::*;
use crate::directory::{Endpoint, Port};

fn endpoint(last: u8, hostname: Option<&str>, ready: bool) -> Endpoint {
    Endpoint {
        address: Ipv4Addr::new(10, 244, 0, last),
        hostname: hostname.map(str::to_owned),
        ready,
        ports: BTreeMap::from([("rpc".to_owned(), 6123)]),
    }
}

fn index() -> Index {
    let key = |name: &str| ("default".to_owned(), name.to_owned());
    let service = |reach, publish_not_ready| Service {
        reach,
        publish_not_ready,
        ports: vec![Port { name: "rpc".into(), number: 80, protocol: "TCP".into() }],
    };
    Index {
        services: BTreeMap::from([
            (key("rest"), service(Reach::ClusterIp(Ipv4Addr::new(10, 96, 1, 2)), false)),
            (key("job"), service(Reach::Headless, false)),
            (key("early"), service(Reach::Headless, true)),
            (key("none"), service(Reach::Headless, false)),
            (key("other"), service(Reach::ExternalName("db.example.org".into()), false)),
        ]),
        endpoints: BTreeMap::from([
            (
                key("job"),
                vec![
                    endpoint(5, Some("jm-0"), true),
                    endpoint(6, None, true),
                    endpoint(7, None, false),
                ],
            ),
            (key("early"), vec![endpoint(8, None, false)]),
        ]),
    }
}

fn ask(name: &str, kind: RecordType) -> (ResponseCode, Vec<String>) {
    let mut question = Message::query();
    question.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    let question = Message::from_vec(&question.to_vec().unwrap()).unwrap();
    let domain = Name::from_ascii("cluster.local.").unwrap();
    let answer = answer(&question, &domain, &index());
    // What is sent is what counts.
    let answer = Message::from_vec(&answer.to_vec().unwrap()).unwrap();
    assert_eq!(answer.queries, question.queries);
    (
        answer.metadata.response_code,
        answer.answers.iter().map(|record| record.data.to_string()).collect(),
    )
}

fn found(records: &[&str]) -> (ResponseCode, Vec<String>) {
    (ResponseCode::NoError, records.iter().map(|&record| record.to_owned()).collect())
}

#[test]
fn services_are_found_by_their_names() {
    assert_eq!(ask("rest.default.svc.cluster.local.", RecordType::A), found(&["10.96.1.2"]));
    assert_eq!(ask("ReSt.default.svc.CLUSTER.local.", RecordType::A), found(&["10.96.1.2"]));
    assert_eq!(
        ask("job.default.svc.cluster.local.", RecordType::A),
        found(&["10.244.0.5", "10.244.0.6"])
    );
    assert_eq!(ask("early.default.svc.cluster.local.", RecordType::A), found(&["10.244.0.8"]));
    assert_eq!(ask("jm-0.job.default.svc.cluster.local.", RecordType::A), found(&["10.244.0.5"]));
    assert_eq!(
        ask("10-244-0-6.job.default.svc.cluster.local.", RecordType::A),
        found(&["10.244.0.6"])
    );
    assert_eq!(ask("10-244-0-9.default.pod.cluster.local.", RecordType::A), found(&["10.244.0.9"]));
    assert_eq!(ask("other.default.svc.cluster.local.", RecordType::A), found(&["db.example.org."]));
}

#[test]
fn a_known_name_without_records_of_the_type_is_no_error() {
    assert_eq!(ask("rest.default.svc.cluster.local.", RecordType::AAAA), found(&[]));
    assert_eq!(ask("default.svc.cluster.local.", RecordType::A), found(&[]));
}

#[test]
fn unknown_names_do_not_exist() {
    for (name, kind) in [
        ("nothing.default.svc.cluster.local.", RecordType::A),
        ("none.default.svc.cluster.local.", RecordType::A),
        ("jm-1.job.default.svc.cluster.local.", RecordType::A),
        ("repo.maven.apache.org.", RecordType::A),
        ("rest.default.svc.cluster.local.cluster.local.", RecordType::A),
        ("7.0.244.10.in-addr.arpa.", RecordType::PTR),
        ("6.0.244.10.in-addr.arpa.", RecordType::PTR),
        ("x.y.z.w.in-addr.arpa.", RecordType::PTR),
    ] {
        assert_eq!(ask(name, kind), (ResponseCode::NXDomain, vec![]), "{name}");
    }
}

#[test]
fn addresses_that_have_a_name_are_found() {
    assert_eq!(
        ask("2.1.96.10.in-addr.arpa.", RecordType::PTR),
        found(&["rest.default.svc.cluster.local."])
    );
    assert_eq!(
        ask("5.0.244.10.in-addr.arpa.", RecordType::PTR),
        found(&["jm-0.job.default.svc.cluster.local."])
    );
}

#[test]
fn ports_are_found_by_name() {
    assert_eq!(
        ask("_rpc._tcp.rest.default.svc.cluster.local.", RecordType::SRV),
        found(&["0 100 80 rest.default.svc.cluster.local."])
    );
    assert_eq!(
        ask("_rpc._tcp.job.default.svc.cluster.local.", RecordType::SRV),
        found(&[
            "0 100 6123 jm-0.job.default.svc.cluster.local.",
            "0 100 6123 10-244-0-6.job.default.svc.cluster.local."
        ])
    );
}
