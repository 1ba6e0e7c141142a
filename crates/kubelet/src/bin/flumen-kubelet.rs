//! The kubelet as a program of its own, for a control plane that runs elsewhere:
//! `flumen-kubelet KUBECONFIG NODE DATA_DIRECTORY`. It has no endpoint for logs.

use std::{error::Error, ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use flumen_kubelet::{NetworkSettings, NodeNetwork, NodeSettings, Settings};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio_util::sync::CancellationToken;

/// The argument that makes this program one of the processes below the kubelet.
const POD: &str = "__pod";

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    if args.first().is_some_and(|word| word == POD) {
        return flumen_kubelet::pod_main(args.into_iter().skip(1));
    }
    let result = match <[OsString; 3]>::try_from(args) {
        Ok([kubeconfig, node, data]) => {
            run(&kubeconfig.into(), &node.to_string_lossy(), data.into())
        }
        Err(_) => {
            Err(format!("usage: {} KUBECONFIG NODE DATA_DIRECTORY", program.to_string_lossy())
                .into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(kubeconfig: &PathBuf, node: &str, data: PathBuf) -> Result<(), Box<dyn Error>> {
    flumen_kubelet::enter_user_namespace()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = KubeConfigOptions::default();
        let mut config =
            Config::from_custom_kubeconfig(Kubeconfig::read_from(kubeconfig)?, &options).await?;
        config.default_retry = false;
        let network = NodeNetwork::create(NetworkSettings::default())?;
        let node = NodeSettings::new(Client::try_from(config)?, node, network.of_node(0)?);
        let helper = vec![std::env::current_exe()?.into(), POD.into()];
        let settings = Settings::new(node, data, helper, network);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stopping.cancel();
            }
        });
        Ok(flumen_kubelet::run(settings, stop).await?)
    })
}
