//! The table of kinds: names, scope, rules and columns of everything this server stores.

use bytes::Bytes;
pub(crate) use flumen_quota::quantity;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::storage::ResourceId;

pub(crate) use self::{
    columns::Column,
    rules::{Rules, check_labels, label_value_problem, qualified_problems},
};

mod columns;
mod rules;
mod table;

/// A field that a field selector may name.
#[derive(Debug)]
pub(crate) struct Selectable {
    pub(crate) name: &'static str,
    pub(crate) pointer: &'static str,
    /// What an object without the field counts as having.
    pub(crate) absent: &'static str,
}

/// Another form of a stored kind: the same objects under another group, with other names for some fields.
pub(crate) struct Alias {
    /// The stored name of each top-level field that has another one here, with that one.
    pub(crate) renamed: &'static [(&'static str, &'static str)],
    /// The rules of the form that is stored.
    pub(crate) stored: &'static dyn Rules,
}

/// The group of roles and bindings.
pub(crate) const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// What is particular about a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// `kubectl get all` shows it.
    InAll,
    /// `metadata.generation` counts the changes of its specification.
    CountsGeneration,
    /// A PUT of what does not exist creates it.
    CreatedByUpdate,
    /// The answer to a deletion is the object and not a `Status`.
    ReturnedWhenDeleted,
    /// A change says which version it is of: who renews a lease must have seen who holds it.
    ChangedByVersion,
    /// Not all of it can be deleted at once.
    DeletedOneByOne,
}

/// A kind that the server stores.
pub(crate) struct Resource {
    pub(crate) id: ResourceId,
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) namespaced: bool,
    pub(crate) status: bool,
    pub(crate) scale: bool,
    pub(crate) habits: &'static [Habit],
    /// The name in the store, shared by all forms of the kind.
    pub(crate) storage: &'static str,
    /// Set where the objects are those of another kind.
    pub(crate) alias: Option<Alias>,
    /// The beginning of every stored object of the kind.
    pub(crate) prefix: String,
    pub(crate) selectable: Vec<Selectable>,
    /// Reads the object as its type and writes it again: what the type does not know is gone, what has the wrong type is an error.
    pub(crate) typed: fn(Value) -> Result<Value, serde_json::Error>,
    pub(crate) rules: &'static dyn Rules,
    pub(crate) columns: &'static [Column],
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.storage)
    }
}

impl Resource {
    /// `pods`, `deployments.apps`: how messages name the kind.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The object as bytes that begin with [`Resource::prefix`].
    pub(crate) fn render(&self, value: &Value) -> Bytes {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(self.prefix.as_bytes());
        if let Value::Object(map) = value {
            for (key, value) in map {
                if key == "kind" || key == "apiVersion" {
                    continue;
                }
                if bytes.len() > self.prefix.len() {
                    bytes.push(b',');
                }
                // Writing a value of strings and numbers to memory cannot fail.
                let _ = serde_json::to_writer(&mut bytes, key);
                bytes.push(b':');
                let _ = serde_json::to_writer(&mut bytes, value);
            }
        }
        bytes.push(b'}');
        bytes.shrink_to_fit();
        bytes.into()
    }

    /// A stored object in the form of this kind.
    pub(crate) fn outward(&self, object: Value) -> Value {
        match &self.alias {
            None => object,
            Some(alias) => {
                let mut own = self.rename(object, &self.api_version(), |name| {
                    alias.renamed.iter().find(|(stored, _)| *stored == name).map(|(_, own)| *own)
                });
                self.rules.complete(&mut own);
                own
            }
        }
    }

    /// An object of this kind in the form that is stored.
    pub(crate) fn inward(&self, object: Value) -> Value {
        match &self.alias {
            None => object,
            // The other forms are all of the core group.
            Some(alias) => {
                let mut stored = self.rename(object, "v1", |name| {
                    alias.renamed.iter().find(|(_, own)| *own == name).map(|(stored, _)| *stored)
                });
                alias.stored.complete(&mut stored);
                stored
            }
        }
    }

    fn rename(
        &self,
        object: Value,
        version: &str,
        other: impl Fn(&str) -> Option<&'static str>,
    ) -> Value {
        let Value::Object(map) = object else { return object };
        // Each form has fields of its own that are written where they are empty.
        let mut renamed: Map<String, Value> = map
            .into_iter()
            .filter(|(_, value)| *value != "" && !value.is_null())
            .map(|(name, value)| (other(&name).map_or(name, str::to_owned), value))
            .collect();
        renamed.insert("kind".into(), self.kind.into());
        renamed.insert("apiVersion".into(), version.into());
        Value::Object(renamed)
    }

    pub(crate) fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    /// The key of an object in the store.
    pub(crate) fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced { format!("{namespace}/{name}") } else { name.to_owned() }
    }

    pub(crate) fn selectable_position(&self, field: &str) -> Option<usize> {
        self.selectable.iter().position(|selectable| selectable.name == field)
    }
}

/// All kinds: first those that are stored, in the order of their ids, then their other forms.
pub(crate) struct Registry {
    resources: Vec<Resource>,
}

impl Registry {
    /// The one table of the program: kinds do not change while it runs.
    pub(crate) fn global() -> &'static Self {
        static REGISTRY: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(Registry::build);
        &REGISTRY
    }

    fn build() -> Self {
        let mut resources = table::resources();
        let stored: Vec<&'static str> = resources.iter().map(|resource| resource.storage).collect();
        for resource in &mut resources {
            resource.id =
                stored.iter().position(|storage| *storage == resource.storage).unwrap_or_default();
            resource.prefix = format!(
                "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",",
                resource.kind,
                resource.api_version()
            );
        }
        Self { resources }
    }

    /// The kinds that have objects of their own in the store.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(|resource| resource.alias.is_none())
    }

    /// Everything that discovery shows.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static Resource> {
        self.resources.iter()
    }

    pub(crate) fn by_id(&'static self, id: ResourceId) -> &'static Resource {
        &self.resources[id]
    }

    pub(crate) fn by_storage(&'static self, storage: &str) -> Option<&'static Resource> {
        self.resources.iter().find(|resource| resource.storage == storage)
    }

    pub(crate) fn find(
        &'static self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Option<&'static Resource> {
        self.resources.iter().find(|resource| {
            resource.plural == plural && resource.group == group && resource.version == version
        })
    }

    /// A kind of the core group that this table is known to have.
    pub(crate) fn core(&'static self, plural: &str) -> &'static Resource {
        self.find("", "v1", plural).unwrap_or(&self.resources[0])
    }
}

/// The round trip through a type of the API.
pub(crate) fn typed<T: DeserializeOwned + Serialize>(
    value: Value,
) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(value)?)
}

/// The same for a kind with a selector, which the types cannot leave out although a client can.
pub(crate) fn typed_with_selector<T: DeserializeOwned + Serialize>(
    value: Value,
) -> Result<Value, serde_json::Error> {
    let given = value.pointer("/spec/selector").is_some_and(|selector| !selector.is_null());
    let mut typed = typed::<T>(value)?;
    if let Some(spec) = typed.get_mut("spec").and_then(Value::as_object_mut).filter(|_| !given) {
        spec.shift_remove("selector");
    }
    Ok(typed)
}
