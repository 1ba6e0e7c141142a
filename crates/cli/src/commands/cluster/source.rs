//! How a cluster is reached, as flags say it.

use std::path::{Path, PathBuf};

use clap::Args;
use flumen_api_types::ClusterSource;
use flumen_cluster::{Kubeconfig, Portable};
use jiff::Timestamp;

use crate::Error;

#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// Kubeconfig file, of this machine
    #[arg(long, value_name = "FILE", required_unless_present = "in_cluster")]
    kubeconfig: Option<PathBuf>,

    /// Context in the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Take the service account of the pod that the server runs in
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"])]
    in_cluster: bool,
}

/// What is sent, and what the user should know of it.
pub(super) struct Source {
    pub(super) body: ClusterSource,
    pub(super) notes: Vec<String>,
}

impl SourceArguments {
    /// Reads the kubeconfig and the files that it names: the server may be on another machine.
    pub(super) fn read(self, now: Timestamp) -> Result<Source, Error> {
        let Some(file) = self.kubeconfig else {
            let body = ClusterSource { in_cluster: self.in_cluster, ..ClusterSource::default() };
            return Ok(Source { body, notes: Vec::new() });
        };
        let text = std::fs::read_to_string(&file)
            .map_err(|source| Error::ReadKubeconfig { file: file.clone(), source })?;
        let Portable { text, notes, .. } = portable(&file, &text, self.context.as_deref(), now)?;
        let kubeconfig = Some(text.expose().to_owned());
        Ok(Source { body: ClusterSource { kubeconfig, ..ClusterSource::default() }, notes })
    }
}

fn portable(
    file: &Path,
    text: &str,
    context: Option<&str>,
    now: Timestamp,
) -> Result<Portable, Error> {
    let wrong = |source| Error::Kubeconfig { source };
    let whole = Kubeconfig::parse(&file.display().to_string(), text).map_err(wrong)?;
    let mut chosen = whole.choose(context).map_err(wrong)?;
    let mut copied = Vec::new();
    for named in chosen.files() {
        // Paths in a kubeconfig are relative to it.
        let path = file.parent().unwrap_or(Path::new("")).join(&named.path);
        let bytes = std::fs::read(&path).map_err(|source| Error::ReadKubeconfigFile {
            kubeconfig: file.to_owned(),
            field: named.field,
            file: path.clone(),
            source,
        })?;
        chosen.inline(named.field, &bytes).map_err(wrong)?;
        if named.field == "tokenFile" {
            copied.push(format!(
                "The token was read from {} once. If that file is renewed, give the cluster the new one with `flumen cluster edit`.",
                path.display()
            ));
        }
    }
    let mut portable = chosen.portable(now).map_err(wrong)?;
    portable.notes.append(&mut copied);
    Ok(portable)
}
