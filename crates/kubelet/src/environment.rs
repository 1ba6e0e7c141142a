//! A container's environment, command and arguments. Pure: what the API has to say is looked up before.

mod expand;
mod fields;
mod services;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVarSource, Pod};

pub(crate) use expand::expand;
pub(crate) use fields::{Facts, field, parse_thousandths, resource};
pub(crate) use services::service_variables;

/// Values of `ConfigMap`s and `Secret`s by name; an object that does not exist is not in the map.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lookups {
    pub(crate) config_maps: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) secrets: BTreeMap<String, BTreeMap<String, String>>,
}

/// Why an environment cannot be made (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{kind} {name:?} not found")]
    NotFound { kind: &'static str, name: String },
    #[error("couldn't find key {key} in {kind} {name}")]
    NoKey { kind: &'static str, name: String, key: String },
    #[error(
        "the environment variable {variable} refers to {path:?}, which is not a field that a variable can have"
    )]
    Field { variable: String, path: String },
}

/// Names of the objects that a container's environment refers to.
pub(crate) fn references(container: &Container) -> (Vec<String>, Vec<String>) {
    let (mut config_maps, mut secrets) = (Vec::new(), Vec::new());
    for source in container.env_from.iter().flatten() {
        config_maps.extend(source.config_map_ref.as_ref().map(|reference| reference.name.clone()));
        secrets.extend(source.secret_ref.as_ref().map(|reference| reference.name.clone()));
    }
    for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref())
    {
        config_maps
            .extend(source.config_map_key_ref.as_ref().map(|reference| reference.name.clone()));
        secrets.extend(source.secret_key_ref.as_ref().map(|reference| reference.name.clone()));
    }
    (config_maps, secrets)
}

/// The variables that the specification defines, later ones of the same name replacing earlier ones.
/// `services` are the variables of the services that the pod may see.
pub(crate) fn resolve(
    pod: &Pod,
    container: &Container,
    lookups: &Lookups,
    facts: &Facts,
    services: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut result = services;
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let mut add = |values: Option<&BTreeMap<String, String>>,
                       kind,
                       name: &str,
                       optional: Option<bool>| {
            match values {
                Some(values) => {
                    let named =
                        values.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone()));
                    // Names that no shell could use are left out, as Kubernetes does.
                    result.extend(named.filter(|(key, _)| is_variable(key)));
                    Ok(())
                }
                None if optional == Some(true) => Ok(()),
                None => Err(Error::NotFound { kind, name: name.to_owned() }),
            }
        };
        if let Some(from) = &source.config_map_ref {
            add(lookups.config_maps.get(&from.name), "configmap", &from.name, from.optional)?;
        }
        if let Some(from) = &source.secret_ref {
            add(lookups.secrets.get(&from.name), "secret", &from.name, from.optional)?;
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            None => Some(expand(variable.value.as_deref().unwrap_or_default(), &result)),
            Some(source) => from_source(pod, container, &variable.name, source, lookups, facts)?,
        };
        match value {
            Some(value) => result.insert(variable.name.clone(), value),
            None => result.remove(&variable.name),
        };
    }
    Ok(result)
}

fn from_source(
    pod: &Pod,
    container: &Container,
    variable: &str,
    source: &EnvVarSource,
    lookups: &Lookups,
    facts: &Facts,
) -> Result<Option<String>, Error> {
    let no_field =
        |path: &str| Error::Field { variable: variable.to_owned(), path: path.to_owned() };
    if let Some(reference) = &source.field_ref {
        let path = &reference.field_path;
        return field(pod, path, facts).map(Some).ok_or_else(|| no_field(path));
    }
    if let Some(reference) = &source.resource_field_ref {
        return resource(pod, Some(container), reference, facts)
            .map(Some)
            .ok_or_else(|| no_field(&reference.resource));
    }
    if let Some(reference) = &source.config_map_key_ref {
        let values = lookups.config_maps.get(&reference.name);
        return key(values, "configmap", &reference.name, &reference.key, reference.optional);
    }
    if let Some(reference) = &source.secret_key_ref {
        let values = lookups.secrets.get(&reference.name);
        return key(values, "secret", &reference.name, &reference.key, reference.optional);
    }
    Ok(None)
}

fn key(
    values: Option<&BTreeMap<String, String>>,
    kind: &'static str,
    name: &str,
    key: &str,
    optional: Option<bool>,
) -> Result<Option<String>, Error> {
    match values.map(|values| values.get(key)) {
        Some(Some(value)) => Ok(Some(value.clone())),
        _ if optional == Some(true) => Ok(None),
        Some(None) => Err(Error::NoKey { kind, name: name.to_owned(), key: key.to_owned() }),
        None => Err(Error::NotFound { kind, name: name.to_owned() }),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains('=') && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
