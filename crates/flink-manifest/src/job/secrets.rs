//! Secrets that the script of a job names, as files in its pods.

use flumen_flink_conf::{Configuration, Value};

use super::JobDeployment;
use crate::{Error, feature::SECRET_MOUNTS};

const SECRETS: &str = "kubernetes.secrets";

/// The directory that holds the Secrets of a script, each a directory of its own name.
pub const SCRIPT_SECRETS: &str = "/opt/flumen/secrets";

/// The Secrets beside those that the user has mounted.
pub(super) fn additions(
    deployment: &JobDeployment,
    settled: &Configuration,
) -> Result<Option<(&'static str, Value)>, Error> {
    if deployment.secrets.is_empty() {
        return Ok(None);
    }
    let minor = deployment.version.minor();
    if !SECRET_MOUNTS.is_in(minor) {
        let what = "Secrets as files, for those that its script names";
        return Err(Error::Unsupported { minor, what });
    }
    let mut all = settled.map(SECRETS)?.unwrap_or_default();
    for secret in &deployment.secrets {
        let path = format!("{SCRIPT_SECRETS}/{secret}");
        if let Some(other) = all.insert(secret.clone(), path.clone())
            && other != path
        {
            return Err(Error::SecretElsewhere { secret: secret.clone(), path, other });
        }
    }
    Ok(Some((SECRETS, Value::Map(all))))
}

#[cfg(test)]
mod tests {
    use flumen_flink_conf::Layer;
    use flumen_model::FlinkMinor;

    use super::super::{job_deployment, tests::deployment};
    use crate::{
        feature::{POD_TEMPLATES, SECRET_MOUNTS},
        render,
    };

    const DIRECTORY: &str = "/opt/flumen/secrets/db";

    #[test]
    fn the_pods_get_the_secrets_beside_those_of_the_user() {
        // Those before have no jobs of Flumen.
        let has = |minor: &FlinkMinor| SECRET_MOUNTS.is_in(*minor) && POD_TEMPLATES.is_in(*minor);
        for minor in FlinkMinor::SUPPORTED.into_iter().filter(has) {
            let mut deployment = deployment(&format!("{minor}.0"));
            deployment.secrets = vec!["db".to_owned()];
            deployment.layers.add(Layer::Job, [("kubernetes.secrets", "mine:/etc/mine")]);
            let plan = job_deployment(&deployment).expect("a plan");
            let objects = render(&plan.spec).expect("manifests").objects();
            let pod = &objects[0]["spec"]["template"]["spec"];
            let mounts = pod["containers"][0]["volumeMounts"].as_array().expect("mounts");
            let paths: Vec<_> = mounts.iter().filter_map(|it| it["mountPath"].as_str()).collect();
            assert!(paths.contains(&DIRECTORY) && paths.contains(&"/etc/mine"), "{paths:?}");
        }
    }

    #[test]
    fn a_secret_that_the_user_mounts_elsewhere_is_told() {
        let mut deployment = deployment("1.20.5");
        deployment.secrets = vec!["db".to_owned()];
        deployment.layers.add(Layer::Job, [("kubernetes.secrets", "db:/etc/db")]);
        let error = job_deployment(&deployment).expect_err("two places").to_string();
        assert!(error.contains("/etc/db") && error.contains(DIRECTORY), "{error}");
        deployment.layers.add(Layer::Job, [("kubernetes.secrets", &*format!("db:{DIRECTORY}"))]);
        job_deployment(&deployment).expect("the same place");
    }
}
