use std::net::{SocketAddr, TcpListener};

use flumen_cli::{GlobalArguments, ServerFile};

use super::Finding;
use crate::{command::variable, settings::Settings};

/// The server and its clusters, or what stands in the way of starting one.
pub(super) fn check(settings: &Settings, global: &GlobalArguments) -> Vec<Finding> {
    const NAME: &str = "server";
    let named = global.server.is_some() || variable(flumen_cli::SERVER).is_some();
    let runs = matches!(ServerFile::load(&settings.data_directory), Ok(Some(_)));
    if !named && !runs {
        let start = "start one with `flumen up`";
        let mut findings = vec![Finding::warn(NAME, "none runs with this data directory", start)];
        findings.extend(ports(settings));
        return findings;
    }
    let directory = Some(settings.data_directory.clone());
    let global = GlobalArguments { data_directory: directory, ..global.clone() };
    match flumen_cli::look(&global, variable) {
        Ok(seen) => {
            let mut findings =
                vec![Finding::ok(NAME, format!("Flumen {} answers at {}", seen.version, seen.url))];
            findings.extend(seen.clusters.iter().map(|cluster| match &cluster.reason {
                None => Finding::ok("cluster", format!("{} answers", cluster.name)),
                Some(reason) => Finding::fail(
                    "cluster",
                    format!("{} does not answer: {reason}", cluster.name),
                    format!("see `flumen cluster check {}`", cluster.name),
                ),
            }));
            findings
        }
        Err(error) => {
            let explained = error.explained();
            let detail = std::iter::once(explained.message)
                .chain(explained.causes)
                .collect::<Vec<_>>()
                .join(": ");
            vec![Finding::fail(NAME, detail, explained.hint.unwrap_or_default())]
        }
    }
}

fn ports(settings: &Settings) -> Vec<Finding> {
    [
        ("listen", settings.listen),
        ("ui-listen", settings.ui_listen),
        ("kubernetes-listen", settings.kubernetes_listen),
        ("registry-listen", settings.registry_listen),
    ]
    .into_iter()
    .map(|(setting, address)| port(setting, address))
    .collect()
}

fn port(setting: &str, address: SocketAddr) -> Finding {
    const NAME: &str = "port";
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(NAME, format!("{address} is free for --{setting}")),
        Err(error) => Finding::fail(
            NAME,
            format!("{address} cannot be had for --{setting}: {error}"),
            format!(
                "`ss -ltnp sport = :{}` names who has it; stop that one, or choose another with --{setting}",
                address.port()
            ),
        ),
    }
}
