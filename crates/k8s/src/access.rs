use std::path::{Path, PathBuf};

use flumen_model::Secret;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::{Error, redact};

/// How to get at a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A kubeconfig file. Paths in it are relative to it.
    File {
        /// The file.
        path: PathBuf,
        /// The context. Default: its current one.
        context: Option<String>,
    },
    /// Several kubeconfig files as one, as `KUBECONFIG` names them: what an earlier one says counts, and one
    /// that is not there is passed over.
    Files {
        /// The files.
        paths: Vec<PathBuf>,
        /// The context. Default: the current one.
        context: Option<String>,
    },
    /// The text of a kubeconfig.
    Text {
        /// The text, which may hold keys and tokens.
        kubeconfig: Secret,
        /// The context. Default: its current one.
        context: Option<String>,
    },
    /// The service account of the pod that Flumen runs in.
    InCluster,
}

impl Access {
    /// Reads it, and runs and asks nothing.
    ///
    /// # Errors
    /// [`Error::ReadKubeconfig`], [`Error::UseKubeconfig`] and [`Error::UnknownContext`].
    pub async fn check(&self, cluster: &str) -> Result<(), Error> {
        self.config(cluster).await.map(drop)
    }

    pub(crate) async fn config(&self, cluster: &str) -> Result<Config, Error> {
        match self {
            Self::File { path, context } => {
                let origin = path.display().to_string();
                let kubeconfig = read(path, &origin)?;
                choose(kubeconfig, context.as_deref(), origin).await
            }
            Self::Files { paths, context } => {
                let (kubeconfig, origin) = merged(paths)?;
                choose(kubeconfig, context.as_deref(), origin).await
            }
            Self::Text { kubeconfig, context } => {
                let origin = format!("of cluster {cluster}");
                let kubeconfig = Kubeconfig::from_yaml(kubeconfig.expose())
                    .map_err(|problem| unusable(&origin, &problem))?;
                choose(kubeconfig, context.as_deref(), origin).await
            }
            Self::InCluster => Config::incluster().map_err(|problem| Error::UseKubeconfig {
                origin: "of the pod's service account".to_owned(),
                problem: problem.to_string(),
            }),
        }
    }
}

fn read(path: &Path, origin: &str) -> Result<Kubeconfig, Error> {
    // The library reads the file too, but hides why it could not.
    std::fs::metadata(path)
        .map_err(|source| Error::ReadKubeconfig { path: path.to_owned(), source })?;
    Kubeconfig::read_from(path).map_err(|problem| unusable(origin, &problem))
}

fn merged(paths: &[PathBuf]) -> Result<(Kubeconfig, String), Error> {
    let origin = std::env::join_paths(paths)
        .map_or_else(|_| "of several files".to_owned(), |all| all.to_string_lossy().into_owned());
    let mut whole: Option<Kubeconfig> = None;
    for path in paths {
        let next = match read(path, &path.display().to_string()) {
            Err(Error::ReadKubeconfig { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound && paths.len() > 1 =>
            {
                continue;
            }
            other => other?,
        };
        whole = Some(match whole {
            None => next,
            Some(before) => before.merge(next).map_err(|problem| unusable(&origin, &problem))?,
        });
    }
    let problem = "none of its files is there".to_owned();
    whole
        .map(|kubeconfig| (kubeconfig, origin.clone()))
        .ok_or(Error::UseKubeconfig { origin, problem })
}

async fn choose(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
    origin: String,
) -> Result<Config, Error> {
    if let Some(context) = context {
        let known: Vec<_> = kubeconfig.contexts.iter().map(|known| known.name.as_str()).collect();
        if !known.contains(&context) {
            let known =
                if known.is_empty() { "no context at all".to_owned() } else { known.join(", ") };
            return Err(Error::UnknownContext { origin, context: context.to_owned(), known });
        }
    }
    let proxy = proxy_of(&kubeconfig, context);
    let options =
        KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|problem| unusable(&origin, &problem))?;
    if proxy.is_none() {
        // The library takes HTTPS_PROXY too, and holds NO_PROXY against the address of the proxy: the local cluster
        // would be asked through it.
        config.proxy_url = None;
    }
    Ok(config)
}

/// The proxy that the cluster of the context names.
fn proxy_of(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let name = context.or(kubeconfig.current_context.as_deref())?;
    let named = kubeconfig.contexts.iter().find(|one| one.name == name)?;
    let cluster = &named.context.as_ref()?.cluster;
    let found = kubeconfig.clusters.iter().find(|one| one.name == *cluster)?;
    found.cluster.as_ref()?.proxy_url.clone().filter(|proxy| !proxy.is_empty())
}

fn unusable(origin: &str, problem: &KubeconfigError) -> Error {
    Error::UseKubeconfig { origin: origin.to_owned(), problem: redact::kubeconfig(problem) }
}
