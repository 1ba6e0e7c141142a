//! Label and field selectors.

use crate::{failure::Failure, resources::Resource, storage::Object};

pub(crate) mod fields;
pub(crate) mod labels;

/// What a list or a watch is limited to.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    labels: labels::Requirements,
    fields: Vec<fields::Requirement>,
}

impl Selector {
    pub(crate) fn parse(
        resource: &Resource,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            labels: labels::Requirements::parse(labels.unwrap_or_default()).map_err(|problem| {
                Failure::bad_request(format!("unable to parse requirement: {problem}"))
            })?,
            fields: fields::parse(resource, fields.unwrap_or_default())?,
        })
    }

    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.fields.iter().all(|field| field.matches(object))
            && (self.labels.is_empty() || self.labels.matches(&object.index().labels))
    }
}
