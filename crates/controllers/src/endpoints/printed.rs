//! The order of ports and subsets: the real controllers sort them by the MD5 sum of what Go prints of them. Clients that take the
//! first port of several get the same one only with the same order.

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset};
use k8s_openapi::api::discovery::v1 as discovery;
use md5::{Digest as _, Md5};

/// What things are sorted by.
pub(crate) type Rank = [u8; 16];

fn rank(printed: &str) -> Rank {
    Md5::digest(printed.as_bytes()).into()
}

/// The rank of a port of `Endpoints`.
pub(crate) fn of_port(port: &EndpointPort) -> Rank {
    rank(&format!("(v1.EndpointPort){}", print_port(port)))
}

/// The rank of a port of a slice.
pub(crate) fn of_slice_port(port: &discovery::EndpointPort) -> Rank {
    let number = port.port.map(|number| number.to_string());
    rank(&format!(
        "(v1.EndpointPort){{Name:(*string){} Protocol:(*v1.Protocol){} Port:(*int32){} AppProtocol:(*string){}}}",
        or_nil(port.name.as_deref()),
        or_nil(port.protocol.as_deref()),
        or_nil(number.as_deref()),
        or_nil(port.app_protocol.as_deref())
    ))
}

/// The rank of a subset, whose parts are in their order.
pub(crate) fn of_subset(subset: &EndpointSubset) -> Rank {
    let addresses = |list: &Option<Vec<EndpointAddress>>| {
        print_list("EndpointAddress", list.as_deref().unwrap_or_default(), print_address)
    };
    rank(&format!(
        "(v1.EndpointSubset){{Addresses:{} NotReadyAddresses:{} Ports:{}}}",
        addresses(&subset.addresses),
        addresses(&subset.not_ready_addresses),
        print_list("EndpointPort", subset.ports.as_deref().unwrap_or_default(), print_port)
    ))
}

fn or_nil(text: Option<&str>) -> &str {
    text.unwrap_or("<nil>")
}

fn print_list<T>(kind: &str, items: &[T], print: fn(&T) -> String) -> String {
    if items.is_empty() {
        return format!("([]v1.{kind})<nil>");
    }
    let items: Vec<String> = items.iter().map(print).collect();
    format!("([]v1.{kind})[{}]", items.join(" "))
}

fn print_port(port: &EndpointPort) -> String {
    format!(
        "{{Name:(string){} Port:(int32){} Protocol:(v1.Protocol){} AppProtocol:(*string){}}}",
        port.name.as_deref().unwrap_or_default(),
        port.port,
        port.protocol.as_deref().unwrap_or_default(),
        or_nil(port.app_protocol.as_deref())
    )
}

fn print_address(address: &EndpointAddress) -> String {
    let target = address.target_ref.as_ref().map(|target| {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        format!(
            "{{Kind:(string){} Namespace:(string){} Name:(string){} UID:(types.UID){} APIVersion:(string) ResourceVersion:(string) FieldPath:(string)}}",
            text(&target.kind),
            text(&target.namespace),
            text(&target.name),
            text(&target.uid)
        )
    });
    format!(
        "{{IP:(string){} Hostname:(string){} NodeName:(*string){} TargetRef:(*v1.ObjectReference){}}}",
        address.ip,
        address.hostname.as_deref().unwrap_or_default(),
        or_nil(address.node_name.as_deref()),
        or_nil(target.as_deref())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hexadecimal(rank: Rank) -> String {
        format!("{:032x}", u128::from_be_bytes(rank))
    }

    #[test]
    fn ranks_are_those_that_go_computes() {
        let port: EndpointPort =
            serde_json::from_value(json!({"name": "web", "port": 8080, "protocol": "TCP"}))
                .expect("port");
        assert_eq!(hexadecimal(of_port(&port)), "049b9cb8aab0c8f490db33da83812af4");
        let port: discovery::EndpointPort = serde_json::from_value(
            json!({"name": "", "port": 8080, "protocol": "TCP", "appProtocol": "http"}),
        )
        .expect("port");
        assert_eq!(hexadecimal(of_slice_port(&port)), "04e437449851ccf74085ee6b9e32767e");
        let target = json!({"kind": "Pod", "namespace": "ns", "name": "p", "uid": "u"});
        let subset: EndpointSubset = serde_json::from_value(json!({
            "notReadyAddresses": [{"ip": "10.1.1.7", "nodeName": "web", "targetRef": target}],
            "ports": [{"name": "web", "port": 8080, "protocol": "TCP"}]
        }))
        .expect("subset");
        assert_eq!(hexadecimal(of_subset(&subset)), "7e3b2bfb69ff586edea02b666c4253ed");
    }
}
