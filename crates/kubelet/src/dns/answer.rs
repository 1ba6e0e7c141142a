//! One question, one answer. The names are those of the Kubernetes DNS specification, version 1.1.0.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, CNAME, PTR, SRV},
    },
};

use crate::directory::{Index, Key, Reach, Service};

/// Seconds for which an answer may be kept.
const TIME_TO_LIVE: u32 = 5;

/// What is known about a name.
enum Found {
    /// Records of it; none of the asked type is fine.
    Name(Vec<RData>),
    Nothing,
}

pub(super) fn answer(question: &Message, domain: &Name, index: &Index) -> Message {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_queries(question.queries.iter().cloned());
    if question.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(4096);
        answer.set_edns(edns);
    }
    let [query] = question.queries.as_slice() else {
        answer.metadata.response_code = ResponseCode::FormErr;
        return answer;
    };
    if question.metadata.message_type != MessageType::Query
        || question.metadata.op_code != OpCode::Query
    {
        answer.metadata.response_code = ResponseCode::NotImp;
        return answer;
    }
    answer.metadata.authoritative = true;
    let name = query.name().to_lowercase();
    match find(&name, domain, index) {
        Found::Nothing => answer.metadata.response_code = ResponseCode::NXDomain,
        Found::Name(data) => {
            let wanted = query.query_type();
            let fits = |data: &RData| {
                let kind = data.record_type();
                kind == wanted || wanted == RecordType::ANY || kind == RecordType::CNAME
            };
            answer.add_answers(
                data.into_iter()
                    .filter(fits)
                    .map(|data| Record::from_rdata(query.name().clone(), TIME_TO_LIVE, data)),
            );
        }
    }
    answer
}

fn find(name: &Name, domain: &Name, index: &Index) -> Found {
    let labels: Vec<String> =
        name.iter().map(|label| String::from_utf8_lossy(label).into_owned()).collect();
    let mut labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    if let [d, c, b, a, "in-addr", "arpa"] = labels.as_slice() {
        let address = format!("{a}.{b}.{c}.{d}").parse().ok();
        return address.map_or(Found::Nothing, |address| reverse(address, domain, index));
    }
    if !domain.zone_of(name) {
        return Found::Nothing;
    }
    labels.truncate(labels.len() - usize::from(domain.num_labels()));
    labels.reverse();
    match labels.as_slice() {
        [] | ["svc" | "pod"] => Found::Name(Vec::new()),
        ["svc", namespace] => {
            let known = index.services.keys().any(|(other, _)| other == namespace);
            if known { Found::Name(Vec::new()) } else { Found::Nothing }
        }
        ["svc", namespace, service, rest @ ..] => match index.service(namespace, service) {
            Some(found) => below_service(
                &((*namespace).to_owned(), (*service).to_owned()),
                found,
                rest,
                domain,
                index,
            ),
            None => Found::Nothing,
        },
        ["pod", _namespace, address] => match address.replace('-', ".").parse::<Ipv4Addr>() {
            Ok(address) => Found::Name(vec![RData::A(A(address))]),
            Err(_) => Found::Nothing,
        },
        _ => Found::Nothing,
    }
}

/// `rest` is what stands before the service's name, last label first.
fn below_service(
    key: &Key,
    service: &Service,
    rest: &[&str],
    domain: &Name,
    index: &Index,
) -> Found {
    let endpoints = || index.published(&key.0, &key.1);
    match (rest, &service.reach) {
        ([], Reach::ClusterIp(address)) => Found::Name(vec![RData::A(A(*address))]),
        ([], Reach::Headless) => {
            let addresses: Vec<RData> =
                endpoints().map(|endpoint| RData::A(A(endpoint.address))).collect();
            // A headless service without pods is a name that does not exist, as CoreDNS has it.
            if addresses.is_empty() { Found::Nothing } else { Found::Name(addresses) }
        }
        ([], Reach::ExternalName(other)) => {
            match Name::from_ascii(format!("{}.", other.trim_end_matches('.'))) {
                Ok(other) => Found::Name(vec![RData::CNAME(CNAME(other))]),
                Err(_) => Found::Nothing,
            }
        }
        ([protocol, port], _) if protocol.starts_with('_') && port.starts_with('_') => {
            let (protocol, port) = (&protocol[1..], &port[1..]);
            let found = service
                .ports
                .iter()
                .find(|p| p.name == port && p.protocol.eq_ignore_ascii_case(protocol));
            found.map_or(Found::Nothing, |found| {
                let targets: Vec<(String, u16)> = match service.reach {
                    Reach::Headless => endpoints()
                        .filter_map(|endpoint| {
                            Some((format!("{}.", endpoint.label()), *endpoint.ports.get(port)?))
                        })
                        .collect(),
                    Reach::ClusterIp(_) | Reach::ExternalName(_) => {
                        vec![(String::new(), found.number)]
                    }
                };
                let name = service_name(key, domain);
                let records = targets.into_iter().filter_map(|(label, port)| {
                    let target = Name::from_ascii(format!("{label}{name}")).ok()?;
                    Some(RData::SRV(SRV::new(0, 100, port, target)))
                });
                Found::Name(records.collect())
            })
        }
        ([label], Reach::Headless) => {
            let addresses: Vec<RData> = endpoints()
                .filter(|endpoint| endpoint.label() == *label)
                .map(|endpoint| RData::A(A(endpoint.address)))
                .collect();
            if addresses.is_empty() { Found::Nothing } else { Found::Name(addresses) }
        }
        _ => Found::Nothing,
    }
}

fn service_name(key: &Key, domain: &Name) -> String {
    format!("{}.{}.svc.{domain}", key.1, key.0)
}

fn reverse(address: Ipv4Addr, domain: &Name, index: &Index) -> Found {
    for (key, service) in &index.services {
        let name = match service.reach {
            Reach::ClusterIp(own) if own == address => Some(service_name(key, domain)),
            Reach::Headless => index
                .published(&key.0, &key.1)
                .find(|endpoint| endpoint.address == address && endpoint.hostname.is_some())
                .map(|endpoint| format!("{}.{}", endpoint.label(), service_name(key, domain))),
            Reach::ClusterIp(_) | Reach::ExternalName(_) => None,
        };
        if let Some(name) = name.and_then(|name| Name::from_ascii(name).ok()) {
            return Found::Name(vec![RData::PTR(PTR(name))]);
        }
    }
    Found::Nothing
}

#[cfg(test)]
mod tests;
