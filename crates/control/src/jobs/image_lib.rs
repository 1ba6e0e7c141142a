//! What the base image of a job has on Flink's class path, as the distribution has it that the image was made from.

use std::{
    collections::BTreeMap,
    fs::File,
    io::BufReader,
    sync::{Arc, Mutex, PoisonError},
};

use flumen_flink_conf::Catalogue;
use flumen_flink_dist::{Distribution, Settings};
use flumen_jar::{ImageClasses, ImageScala};
use flumen_model::{ConfigurationValue, FlinkVersion, JobSpec};

use crate::{Control, Error, versions::PYTHON_PACKAGES};

/// Whoever sets this says which classes of the image come first.
const PARENT_FIRST: &str = "classloader.parent-first-patterns.default";
const MORE_PARENT_FIRST: &str = "classloader.parent-first-patterns.additional";
const RESOLVE_ORDER: &str = "classloader.resolve-order";

/// The classes of images that were looked at, by version and where the image was made from.
#[derive(Debug, Default)]
pub(crate) struct ImageLibs(Mutex<BTreeMap<(FlinkVersion, String), Arc<ImageClasses>>>);

impl Control {
    /// The Scala library of the image.
    pub(crate) async fn image_scala(&self, spec: &JobSpec) -> Result<ImageScala, Error> {
        if spec.configuration.contains_key(PARENT_FIRST) {
            return Ok(ImageScala::Unknown);
        }
        let found = self.of_distribution(spec, |it| it.scala().ok()).await?;
        Ok(match found {
            Some(Some(scala)) => ImageScala::Of(scala),
            Some(None) => ImageScala::None,
            None => ImageScala::Unknown,
        })
    }

    /// The classes in the `lib` of the image; none if they are not known.
    pub(crate) async fn image_classes(
        &self,
        spec: &JobSpec,
    ) -> Result<Option<Arc<ImageClasses>>, Error> {
        let row = self.version_row(spec.flink_version, &spec.environment).await?;
        let key = (row.version, row.source);
        let libs = self.image_libs();
        if let Some(known) = libs.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(classes) = self.of_distribution(spec, classes).await? else { return Ok(None) };
        let classes = Arc::new(classes);
        let mut libs = libs.0.lock().unwrap_or_else(PoisonError::into_inner);
        libs.insert(key, Arc::clone(&classes));
        Ok(Some(classes))
    }

    /// What is found in the distribution. One that is gone or changed does not stop a job: its image is there.
    async fn of_distribution<T: Send + 'static>(
        &self,
        spec: &JobSpec,
        find: impl FnOnce(&Distribution) -> Option<T> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let row = self.version_row(spec.flink_version, &spec.environment).await?;
        let cache = self.settings().cache_directory.clone();
        let find = move || {
            let distribution = if row.source == PYTHON_PACKAGES {
                flumen_flink_dist::cached(row.version, &Settings::new(cache)).ok().flatten()
            } else {
                Distribution::open(row.source.as_ref(), row.version).ok()
            };
            distribution.as_ref().and_then(find)
        };
        Ok(tokio::task::spawn_blocking(find).await.ok().flatten())
    }
}

/// What all jars in `lib` have together. A jar that cannot be read is as good as not there.
fn classes(distribution: &Distribution) -> Option<ImageClasses> {
    let mut classes = ImageClasses::default();
    for jar in distribution.lib_jars().ok()? {
        let Ok(file) = File::open(&jar) else { continue };
        if let Err(error) = classes.add(BufReader::new(file)) {
            tracing::debug!(jar = %jar.display(), error = &error as &dyn std::error::Error, "a jar of a Flink distribution was not looked into");
        }
    }
    Some(classes)
}

/// How the names of the classes begin that Flink loads from its own class path first.
pub(super) fn parent_first(spec: &JobSpec) -> Vec<String> {
    let texts = |key: &str| spec.configuration.get(key).map(texts);
    let is_all = texts(RESOLVE_ORDER).is_some_and(|order| order == ["parent-first"]);
    if is_all {
        return vec![String::new()];
    }
    let default = Catalogue::of(spec.flink_version.minor()).option(PARENT_FIRST);
    let default = || default.and_then(|option| option.default).map(split).unwrap_or_default();
    let mut patterns = texts(PARENT_FIRST).unwrap_or_else(default);
    patterns.extend(texts(MORE_PARENT_FIRST).unwrap_or_default());
    patterns
}

/// The texts of a list, which may also be written as one with `;`.
fn texts(value: &ConfigurationValue) -> Vec<String> {
    match value {
        ConfigurationValue::Text(text) => split(text),
        ConfigurationValue::List(values) => values.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(configuration: &str) -> Vec<String> {
        let spec = format!(
            r#"{{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"a.jar","configuration":{configuration}}}"#
        );
        parent_first(&serde_json::from_str(&spec).expect("valid"))
    }

    #[test]
    fn what_comes_from_the_image_is_as_flink_is_told() {
        let is_there = |patterns: &[String], it: &str| patterns.iter().any(|other| other == it);
        let default = of("{}");
        assert!(is_there(&default, "org.slf4j") && is_there(&default, "java."), "{default:?}");
        let more = of(r#"{"classloader.parent-first-patterns.additional":["com.acme.","x"]}"#);
        assert_eq!(more[..default.len()], default);
        assert_eq!(more[default.len()..], ["com.acme.", "x"]);
        assert_eq!(
            of(r#"{"classloader.parent-first-patterns.default":"java.; b"}"#),
            ["java.", "b"]
        );
        assert_eq!(of(r#"{"classloader.resolve-order":"parent-first"}"#), [""]);
    }
}
