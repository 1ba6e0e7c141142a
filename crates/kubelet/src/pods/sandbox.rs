//! The effect "create the sandbox": namespaces, address, and the files that every container of the pod sees.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::Pod;

use super::node::Node;
use crate::{
    network::{self, Attachment},
    runner,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not make the pod's namespaces")]
    Namespaces(#[source] runner::Error),
    #[error("could not connect the pod to the network")]
    Network(#[source] network::Error),
    #[error("could not write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Files of the pod and where containers see them.
pub(crate) const FILES: [(&str, &str); 3] =
    [("hosts", "/etc/hosts"), ("hostname", "/etc/hostname"), ("resolv.conf", "/etc/resolv.conf")];
/// Longest host name that Linux takes.
const LONGEST_HOSTNAME: usize = 63;

/// Makes namespaces, network and files.
pub(crate) async fn create(node: &Node, pod: &Pod, uid: &str) -> Result<Attachment, Error> {
    let hostname = hostname(pod);
    let namespace =
        node.runner.create_sandbox(uid, &hostname, node.ids).await.map_err(Error::Namespaces)?;
    let attachment = node.network.attach(namespace).await.map_err(Error::Network)?;
    write_files(node, pod, uid, &hostname, attachment.address())?;
    Ok(attachment)
}

/// Directory of the files.
pub(crate) fn files_directory(node: &Node, uid: &str) -> PathBuf {
    node.pod_directory(uid).join("etc")
}

fn hostname(pod: &Pod) -> String {
    let given = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    let name = given.or_else(|| pod.metadata.name.clone()).unwrap_or_default();
    let name: String = name.chars().take(LONGEST_HOSTNAME).collect();
    name.trim_end_matches(['-', '.']).to_owned()
}

fn write_files(
    node: &Node,
    pod: &Pod,
    uid: &str,
    hostname: &str,
    address: Ipv4Addr,
) -> Result<(), Error> {
    let directory = files_directory(node, uid);
    let write_error = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Write { path, source }
    };
    fs::create_dir_all(&directory).map_err(write_error(&directory))?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    for (name, _) in FILES {
        let text = match name {
            "hosts" => hosts(pod, hostname, &node.domain, address),
            "hostname" => format!("{hostname}\n"),
            _ => resolver(pod, namespace, &node.domain, node.dns.ip()),
        };
        let path = directory.join(name);
        fs::write(&path, text).map_err(write_error(&path))?;
        // Every user of the pod reads them, whatever umask the kubelet has.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
            .map_err(write_error(&path))?;
        if !node.ids.is_one() {
            let root = node.ids.to_host(0);
            chown(&path, Some(root), Some(root)).map_err(write_error(&path))?;
        }
    }
    Ok(())
}

fn hosts(pod: &Pod, hostname: &str, domain: &str, address: Ipv4Addr) -> String {
    let spec = pod.spec.as_ref();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let subdomain = spec.and_then(|spec| spec.subdomain.as_deref()).filter(|name| !name.is_empty());
    let names = match subdomain {
        Some(subdomain) => format!("{hostname}.{subdomain}.{namespace}.svc.{domain}\t{hostname}"),
        None => hostname.to_owned(),
    };
    let mut text = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{address}\t{names}\n"
    );
    let aliases = spec.and_then(|spec| spec.host_aliases.as_ref());
    text.extend(aliases.into_iter().flatten().map(|alias| {
        format!("{}\t{}\n", alias.ip, alias.hostnames.as_deref().unwrap_or_default().join("\t"))
    }));
    text
}

fn resolver(pod: &Pod, namespace: &str, domain: &str, server: std::net::IpAddr) -> String {
    let spec = pod.spec.as_ref();
    let own = spec.and_then(|spec| spec.dns_config.as_ref());
    let cluster = spec.and_then(|spec| spec.dns_policy.as_deref()) != Some("None");
    let mut servers: Vec<String> = if cluster { vec![server.to_string()] } else { Vec::new() };
    let mut searches: Vec<String> = if cluster {
        vec![format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.to_owned()]
    } else {
        Vec::new()
    };
    let mut options: Vec<String> = if cluster { vec!["ndots:5".to_owned()] } else { Vec::new() };
    if let Some(own) = own {
        servers.extend(own.nameservers.iter().flatten().cloned());
        searches.extend(own.searches.iter().flatten().cloned());
        for option in own.options.iter().flatten() {
            let name = option.name.clone().unwrap_or_default();
            options.retain(|other| other.split(':').next() != Some(&name));
            options.push(
                option.value.as_ref().map_or(name.clone(), |value| format!("{name}:{value}")),
            );
        }
    }
    let line = |word: &str, values: &[String]| {
        if values.is_empty() { String::new() } else { format!("{word} {}\n", values.join(" ")) }
    };
    let servers: Vec<String> =
        servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    line("search", &searches) + &servers.concat() + &line("options", &options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(spec: &serde_json::Value) -> Pod {
        serde_json::from_value(
            json!({"metadata": {"name": "web-0", "namespace": "n"}, "spec": spec}),
        )
        .unwrap()
    }

    #[test]
    fn a_pod_knows_itself_and_its_aliases() {
        let pod = pod(
            &json!({"containers": [], "subdomain": "web", "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]}),
        );
        let text = hosts(&pod, &hostname(&pod), "cluster.local", [10, 244, 0, 3].into());
        assert!(
            text.contains("\n10.244.0.3\tweb-0.web.n.svc.cluster.local\tweb-0\n1.2.3.4\ta\tb\n"),
            "{text}"
        );
    }

    #[test]
    fn names_are_searched_in_the_cluster() {
        let server = "10.96.0.10".parse().unwrap();
        assert_eq!(
            resolver(&pod(&json!({"containers": []})), "n", "cluster.local", server),
            "search n.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
        );
        let own = pod(
            &json!({"containers": [], "dnsPolicy": "None", "dnsConfig": {"nameservers": ["9.9.9.9"], "options": [{"name": "ndots", "value": "1"}]}}),
        );
        assert_eq!(
            resolver(&own, "n", "cluster.local", server),
            "nameserver 9.9.9.9\noptions ndots:1\n"
        );
    }
}
