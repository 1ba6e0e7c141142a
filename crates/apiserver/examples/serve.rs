//! Serves an empty cluster: `cargo run -p flumen-apiserver --example serve -- DIRECTORY [PORT]`, then
//! `kubectl --kubeconfig DIRECTORY/kubeconfig get all --all-namespaces`.

use std::{error::Error, io::Write, path::PathBuf, time::Instant};

use flumen_apiserver::{ApiServer, Settings};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("usage: serve DIRECTORY [PORT]")?);
    let port: u16 = arguments.next().map_or(Ok(6443), |port| port.parse())?;
    let stop = CancellationToken::new();
    let settings = Settings { data_directory: directory.clone(), ..Settings::default() };
    let server = ApiServer::start(settings, stop.clone()).await?;
    let serving = server.serve(std::net::TcpListener::bind(("127.0.0.1", port))?)?;
    let kubeconfig =
        server.kubeconfig(&format!("https://127.0.0.1:{port}"), "admin", &["system:masters"])?;
    std::fs::write(directory.join("kubeconfig"), kubeconfig)?;
    writeln!(std::io::stdout(), "ready after {:?}", start.elapsed())?;
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    serving.await?;
    Ok(())
}
