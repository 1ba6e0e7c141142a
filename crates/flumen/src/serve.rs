//! The server alone: API, Flink's web UI, control loops.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use flumen_cli::{GlobalArguments, Printer, ServerFile};
use flumen_control::{Control, LocalSettings, MavenFiles, RegistryAccess, Tasks};
use flumen_faults::Faults;
use flumen_image::credential_files;
use flumen_localcluster::Door;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{arguments::Serve, lock, runtime, settings::Settings, supervised::Message};

/// How long the loops may take to come to a good place.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(arguments: &Serve, global: &GlobalArguments, printer: &Printer) -> Result<()> {
    let started = (arguments.flags(), &arguments.file, arguments.supervised);
    runtime::command(started, global, printer, |settings, stop| {
        serve(settings, arguments.supervised, stop, printer)
    })
}

async fn serve(
    settings: Settings,
    supervised: bool,
    stop: CancellationToken,
    printer: &Printer,
) -> Result<()> {
    let _lock = lock::take(&settings.data_directory, "server", "a Flumen server")?;
    let api = bind("the API", "listen", settings.listen).await?;
    let ui = bind("Flink's web UI", "ui-listen", settings.ui_listen).await?;
    let (listen, ui_listen) = (address(&api)?, address(&ui)?);
    let (url, ui_url) = (url(listen), url(ui_listen));

    let tasks = Tasks::new(CancellationToken::new());
    let control_settings = control_settings(&settings, faults()?)?;
    let control = Control::open(control_settings, tasks.clone()).await?;
    control.start().await?;
    let mut api_settings =
        flumen_api::Settings::new(ui_url.clone(), settings.data_directory.clone());
    api_settings.artifact_limit = settings.artifact_limit;
    let routes = flumen_api::router(control.clone(), api_settings, stop.clone());
    let ui_routes = flumen_api::ui_router(control, ui_listen.port());

    let file = ServerFile { url: url.parse()?, ui_url: ui_url.parse()?, pid: std::process::id() };
    let noted = file.save(&settings.data_directory);
    noted.with_context(|| format!("could not write to {}", settings.data_directory.display()))?;
    tracing::info!(url, ui.url = ui_url, "the server takes requests");
    if supervised {
        Message::Server { listen, ui_listen, url, ui_url }.send(printer)?;
    } else {
        printer.note(format!(
            "The server takes requests at {url}; its token is in {}.",
            ServerFile::token_path(&settings.data_directory).display()
        ));
    }
    let served = tokio::try_join!(
        flumen_api::listen(api, routes, stop.clone()),
        flumen_api::listen(ui, ui_routes, stop.clone()),
    );
    if let Err(error) = std::fs::remove_file(ServerFile::path(&settings.data_directory)) {
        tracing::debug!(error = %error, "the note of the running server was not removed");
    }
    if !tasks.stop_within(PATIENCE).await {
        tracing::warn!("some loops did not stop in time; the next server goes on where they were");
    }
    served.map(drop).context("the server cannot take requests any more")
}

/// A debug build can be told to die at a point, see CONTRIBUTING.md. A release build cannot.
#[cfg(debug_assertions)]
fn faults() -> Result<Faults> {
    use rustix::process::{Signal, getpid, kill_process};

    let Some(text) = flumen_cli::variable(&crate::command::variable, "FLUMEN_FAULT")? else {
        return Ok(Faults::default());
    };
    let at = text.parse().with_context(|| format!("FLUMEN_FAULT is {text:?}"))?;
    tracing::warn!(point = text, "this server will die at a point");
    let kill = || {
        if let Err(error) = kill_process(getpid(), Signal::KILL) {
            tracing::error!(error = %error, "this server could not kill itself");
        }
    };
    let faults = Faults::watched();
    faults.follow(flumen_faults::Plan::Kill { at, kill: std::sync::Arc::new(kill) });
    Ok(faults)
}

#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, reason = "the same as in a debug build")]
fn faults() -> Result<Faults> {
    Ok(Faults::default())
}

fn control_settings(settings: &Settings, faults: Faults) -> Result<flumen_control::Settings> {
    let local = settings.local_kubeconfig.clone().zip(settings.local_registry.clone());
    let door = format!("http://{}", Door::ADDRESS).parse::<url::Url>()?;
    Ok(flumen_control::Settings {
        data_directory: settings.data_directory.clone(),
        cache_directory: settings.cache_directory.clone(),
        local: local.map(|(kubeconfig, registry)| LocalSettings {
            kubeconfig,
            registry,
            pod_url: door,
            storage: settings.storage_directory(),
        }),
        maven: Some(maven_files(settings)),
        pod_url: settings.pod_url.clone().map(|url| url.0),
        artifact_limit: settings.artifact_limit.bytes(),
        retention: flumen_control::Retention {
            releases: settings.keep_releases.get(),
            unused: settings.keep_unused.0,
            ..flumen_control::Retention::default()
        },
        python_index: Some(settings.python_index.0.clone()),
        release_policy: settings.release_policy.clone().map(|file| file.policy),
        registries: registry_access(settings),
        cluster_commands: settings.cluster_commands.clone().map(|all| all.0).unwrap_or_default(),
        secret_key_file: settings.secret_key_file.clone(),
        secret_key: flumen_cli::variable(&crate::command::variable, "FLUMEN_SECRET_KEY")?
            .map(flumen_model::Secret::new),
        faults,
    })
}

fn registry_access(settings: &Settings) -> RegistryAccess {
    let given = settings.registry_credentials.as_ref().map(|file| vec![file.0.clone()]);
    let usual = || credential_files(|name| std::env::var_os(name));
    RegistryAccess {
        credential_files: given.unwrap_or_else(usual),
        certificate_authorities: settings.registry_ca.iter().map(|file| file.pem.clone()).collect(),
        plain_http: settings.insecure_registries.clone().map(|it| it.0).unwrap_or_default(),
    }
}

fn maven_files(settings: &Settings) -> MavenFiles {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    MavenFiles {
        home: home.unwrap_or_else(|| settings.cache_directory.clone()),
        user: settings.maven.clone(),
        installed: flumen_maven::installed_settings(&variable).into_iter().collect(),
        variable,
    }
}

/// A variable that Maven's settings name; they are not Flumen's own.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn bind(what: &str, setting: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            return anyhow!(
                "{what} cannot be served at {address}: another program listens there; stop that one (`ss -ltnp sport = :{}` names it), or choose another address with --{setting}",
                address.port()
            );
        }
        anyhow::Error::new(error).context(format!(
            "{what} cannot be served at {address}; choose another address with --{setting}"
        ))
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().context("a listener has no address")
}

/// How a listener is reached from this machine.
fn url(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}")
}
