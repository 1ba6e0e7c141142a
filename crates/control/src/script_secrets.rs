//! Secrets that the script of a job names: whether they are there. What they say is not looked at.

use flumen_store::{Environment, ScriptNeeds};

use crate::{Control, Error};

/// Refuses a script whose secrets are not in the namespace of its pods. A cluster that does not say is not waited for: the
/// runner says what it lacks, too.
///
/// # Errors
/// [`Error::NotFound`] for the first that is not there.
pub(crate) async fn check(
    control: &Control,
    environment: &Environment,
    needs: &ScriptNeeds,
) -> Result<(), Error> {
    if needs.secrets.is_empty() {
        return Ok(());
    }
    let place = &environment.document;
    let Ok(cluster) = control.clusters_handle().get(&place.cluster).await else { return Ok(()) };
    let namespace = &place.namespace;
    for (name, entries) in &needs.secrets {
        let secret = match cluster.secret(namespace, name).await {
            Ok(secret) => secret,
            Err(error) => {
                tracing::debug!(
                    secret = name,
                    error = &error as &dyn std::error::Error,
                    "whether a Secret is there is not known"
                );
                return Ok(());
            }
        };
        let Some(secret) = secret else {
            let files: Vec<_> = entries.iter().map(|it| format!(" --from-file={it}")).collect();
            return Err(Error::NotFound {
                what: format!("the Secret {namespace}/{name}, which the script names,"),
                hint: format!(
                    "; create it with `kubectl create secret generic {name} --namespace {namespace}{}`",
                    files.concat()
                ),
            });
        };
        if let Some(entry) = entries.iter().find(|entry| !secret.entries.contains_key(*entry)) {
            return Err(Error::NotFound {
                what: format!(
                    "the entry {entry} of the Secret {namespace}/{name}, which the script names,"
                ),
                hint: "; it must be there, and be a text in UTF-8".to_owned(),
            });
        }
    }
    Ok(())
}
