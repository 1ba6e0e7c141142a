//! Links, addresses and routes, by netlink.

use std::{
    net::{IpAddr, Ipv4Addr},
    os::fd::{AsRawFd, OwnedFd},
};

use futures::TryStreamExt;
use rtnetlink::{
    Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder,
    packet_route::link::{InfoData, InfoVeth},
};

use super::{Error, Range};

const BRIDGE: &str = "pods";
/// Name of the pod's side, as everywhere in Kubernetes.
const POD_LINK: &str = "eth0";
const LOOPBACK: &str = "lo";

/// Hardware addresses follow from addresses: neither a bridge that gains a port nor an address that comes again
/// invalidates what others have learned.
fn hardware_address(address: Ipv4Addr) -> Vec<u8> {
    [&[0x0a, 0x58], &address.octets()[..]].concat()
}

fn during(step: impl Into<String>) -> impl FnOnce(rtnetlink::Error) -> Error {
    let step = step.into();
    move |source| Error::Configure { step, source }
}

/// Brings loopback and bridge up in the node's namespace; returns their indexes.
pub(super) async fn set_up_node(handle: &Handle, range: Range) -> Result<(u32, u32), Error> {
    let loopback = bring_up(handle, LOOPBACK).await?;
    handle
        .link()
        .add(LinkBridge::new(BRIDGE).address(hardware_address(range.first())).build())
        .execute()
        .await
        .map_err(during("make the pods' bridge"))?;
    let bridge = find(handle, BRIDGE).await?;
    handle
        .address()
        .add(bridge, IpAddr::V4(range.first()), range.prefix())
        .execute()
        .await
        .map_err(during(format!("give the bridge the address {}", range.first())))?;
    Ok((loopback, bridge))
}

/// Makes a pair of links: one on the bridge, the other in the pod's namespace.
pub(super) async fn connect_pod(
    handle: &Handle,
    bridge: u32,
    namespace: &OwnedFd,
    address: Ipv4Addr,
) -> Result<(), Error> {
    let name = format!("pod{:08x}", u32::from(address));
    let peer = LinkMessageBuilder::<LinkUnspec>::new()
        .name(POD_LINK.to_owned())
        .setns_by_fd(namespace.as_raw_fd())
        .address(hardware_address(address))
        .build();
    let link = LinkMessageBuilder::<LinkVeth>::new(&name, POD_LINK)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .controller(bridge)
        .up()
        .build();
    handle
        .link()
        .add(link)
        .execute()
        .await
        .map_err(during(format!("make the link of pod {address}")))
}

/// Inside the pod's namespace: loopback, address, default route.
pub(super) async fn set_up_pod(
    handle: &Handle,
    address: Ipv4Addr,
    range: Range,
) -> Result<(), Error> {
    bring_up(handle, LOOPBACK).await?;
    // The kernel refuses to bring it up while the pair is being made.
    let link = bring_up(handle, POD_LINK).await?;
    handle
        .address()
        .add(link, IpAddr::V4(address), range.prefix())
        .execute()
        .await
        .map_err(during(format!("give the pod the address {address}")))?;
    let route = RouteMessageBuilder::<Ipv4Addr>::new().gateway(range.first()).build();
    handle.route().add(route).execute().await.map_err(during("set the pod's default route"))
}

/// Adds an address to the node's loopback; one that is there already is fine.
pub(super) async fn add_address(handle: &Handle, link: u32, address: IpAddr) -> Result<(), Error> {
    match handle.address().add(link, address, host_prefix(address)).execute().await {
        Err(error) if !is_exists(&error) => {
            Err(during(format!("add the address {address}"))(error))
        }
        _ => Ok(()),
    }
}

/// Removes an address from the node's loopback.
pub(super) async fn remove_address(
    handle: &Handle,
    link: u32,
    address: IpAddr,
) -> Result<(), Error> {
    let found = handle
        .address()
        .get()
        .set_link_index_filter(link)
        .set_address_filter(address)
        .execute()
        .try_next()
        .await
        .map_err(during(format!("find the address {address}")))?;
    match found {
        Some(message) => handle
            .address()
            .del(message)
            .execute()
            .await
            .map_err(during(format!("remove the address {address}"))),
        None => Ok(()),
    }
}

fn host_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_exists(error: &rtnetlink::Error) -> bool {
    matches!(error, rtnetlink::Error::NetlinkError(message)
        if message.raw_code() == -(nix::errno::Errno::EEXIST as i32))
}

async fn bring_up(handle: &Handle, name: &str) -> Result<u32, Error> {
    let index = find(handle, name).await?;
    handle
        .link()
        .change(LinkUnspec::new_with_index(index).up().build())
        .execute()
        .await
        .map_err(during(format!("bring {name} up")))?;
    Ok(index)
}

async fn find(handle: &Handle, name: &str) -> Result<u32, Error> {
    let step = format!("find the link {name}");
    match handle.link().get().match_name(name.to_owned()).execute().try_next().await {
        Ok(Some(link)) => Ok(link.header.index),
        Ok(None) => Err(during(step)(rtnetlink::Error::RequestFailed)),
        Err(error) => Err(during(step)(error)),
    }
}
