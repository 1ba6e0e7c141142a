//! The plugin by which Flink reads a storage: in the image's folder `opt` already, or fetched as a layer.

use flumen_flink_manifest::StoragePlugin;
use flumen_maven::{
    Artifact, Client, Coordinates, Environment as Platform, Exclusion, Request, Wanted,
};
use flumen_model::{ArtifactRole, EnvironmentName, FlinkVersion, Storage};
use flumen_store::ReleaseArtifact;

use crate::{Control, Error, dependencies::said};

/// What the profiles of the POM are asked about.
const JAVA: &str = "17";

/// How pods come by the plugin of their storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Flink needs none.
    None,
    /// The entry point of the image puts this jar of `opt` in place.
    BuiltIn(String),
    /// The jar is to be put into the image.
    Layer(StoragePlugin),
}

/// How the pods of a Flink version, whose image has these jars in `opt`, come by the plugin of a storage. What the job's
/// release has already comes first.
pub(crate) fn delivery(
    storage: &Storage,
    (version, built_in): (FlinkVersion, &[String]),
    artifacts: &[ReleaseArtifact],
) -> Delivery {
    let Some(plugin) = StoragePlugin::of(storage) else { return Delivery::None };
    let brings =
        |one: &ReleaseArtifact| one.role == ArtifactRole::Plugin && plugin.is_jar(&one.name);
    if artifacts.iter().any(brings) {
        return Delivery::None;
    }
    let jar = plugin.jar(version);
    if built_in.contains(&jar) {
        return Delivery::BuiltIn(jar);
    }
    Delivery::Layer(plugin)
}

impl Control {
    /// The jars in the folder `opt` of a base image that its entry point can make plugins, as far as that is known.
    pub(crate) async fn built_in_plugins(
        &self,
        version: FlinkVersion,
        environment: &EnvironmentName,
        base: &str,
    ) -> Result<Vec<String>, Error> {
        let rows = self.store().versions().await?.into_iter();
        let known = rows.filter(|row| row.version == version && row.environment == *environment);
        // A job may stand on a base image that its version had before.
        let known = known.filter(|row| row.image == base).map(|row| row.built_in_plugins).next();
        Ok(known.unwrap_or_default())
    }

    /// The jar of a plugin as an artifact: of the Flink version, else the newest patch of its minor before that which the
    /// repositories have. What Flink's plugins are made against does not change within a minor.
    ///
    /// # Errors
    /// [`Error::StoragePlugin`] if it cannot be had.
    pub(crate) async fn plugin_artifact(
        &self,
        environment: &EnvironmentName,
        plugin: StoragePlugin,
        version: FlinkVersion,
    ) -> Result<ReleaseArtifact, Error> {
        let failed = |source| Error::StoragePlugin {
            environment: environment.to_string(),
            plugin: plugin.coordinates(version),
            source: Box::new(source),
        };
        let client = self.maven_client()?;
        let exact = fetch(&client, &plugin.coordinates(version)).await;
        let (jar, path) = match exact {
            Ok(found) => found,
            Err(missing @ flumen_maven::Error::NotFound { .. }) => {
                let range = format!("[{}.0,{version}]", version.minor());
                // Why the right one is not to be had says more than why another is not.
                fetch(&client, &plugin.coordinates(range)).await.map_err(|_| failed(missing))?
            }
            Err(error) => return Err(failed(error)),
        };
        let (digest, size) = self.keep(&path).await?;
        self.store().save_licenses(&[(digest.clone(), said(&jar))]).await?;
        let coordinates = jar.coordinates;
        Ok(ReleaseArtifact {
            name: format!("{}-{}.jar", plugin.artifact(), coordinates.gav.version),
            digest,
            size,
            role: ArtifactRole::Plugin,
            maven: Some(coordinates.to_string()),
        })
    }
}

/// The one jar, which holds all that it needs.
async fn fetch(
    client: &Client,
    coordinates: &str,
) -> Result<(Artifact, std::path::PathBuf), flumen_maven::Error> {
    let everything: Exclusion = "*:*".parse()?;
    let coordinates: Coordinates = coordinates.parse()?;
    let request = Request { wanted: vec![Wanted { coordinates, exclusions: vec![everything] }] };
    let resolution = client.resolve(&request, Platform::linux(JAVA)).await?;
    let jar: Vec<_> = resolution.artifacts.into_iter().take(1).collect();
    let path = client.fetch(&jar).await?.pop();
    match (jar.into_iter().next(), path) {
        (Some(jar), Some(path)) => Ok((jar, path)),
        _ => Err(flumen_maven::Error::NotFound {
            artifact: request.wanted[0].coordinates.to_string(),
            repositories: Vec::new(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage() -> Storage {
        serde_json::from_str(r#"{"kind": "s3", "place": "s3://flink"}"#).unwrap()
    }

    fn delivered(storage: &Storage, built_in: &[&str], artifacts: &[ReleaseArtifact]) -> Delivery {
        let built_in: Vec<_> = built_in.iter().map(|jar| (*jar).to_owned()).collect();
        delivery(storage, ("1.20.5".parse().unwrap(), &built_in), artifacts)
    }

    #[test]
    fn the_plugin_comes_from_the_image_where_it_has_it_and_else_by_a_layer() {
        let jar = "flink-s3-fs-presto-1.20.5.jar";
        assert_eq!(delivered(&storage(), &[jar], &[]), Delivery::BuiltIn(jar.to_owned()));
        for other in
            [&[][..], &["flink-s3-fs-presto-1.20.4.jar"], &["flink-s3-fs-hadoop-1.20.5.jar"]]
        {
            assert!(matches!(delivered(&storage(), other, &[]), Delivery::Layer(_)), "{other:?}");
        }
        let directory = Storage::HostPath { host_path: "/a".into(), mount_path: "/b".into() };
        assert_eq!(delivered(&directory, &[jar], &[]), Delivery::None);
    }

    #[test]
    fn a_plugin_that_the_job_brings_is_not_put_in_twice() {
        let artifact = |name: &str, role| ReleaseArtifact {
            name: name.to_owned(),
            digest: crate::identity::sha256(name.as_bytes()),
            size: 1,
            role,
            maven: None,
        };
        let own = artifact("flink-s3-fs-presto-1.20.0.jar", ArtifactRole::Plugin);
        assert_eq!(delivered(&storage(), &[], &[own]), Delivery::None);
        let library = artifact("flink-s3-fs-presto-1.20.0.jar", ArtifactRole::Lib);
        assert!(matches!(delivered(&storage(), &[], &[library]), Delivery::Layer(_)));
    }
}
