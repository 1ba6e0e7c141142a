//! Taints of nodes and what pods put up with.

use k8s_openapi::api::core::v1 as core;

pub(crate) const NO_SCHEDULE: &str = "NoSchedule";
pub(crate) const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";
pub(crate) const NO_EXECUTE: &str = "NoExecute";

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Toleration {
    /// Empty means every key.
    pub(crate) key: String,
    /// Whether the value does not matter (operator `Exists`).
    pub(crate) exists: bool,
    pub(crate) value: String,
    /// Empty means every effect.
    pub(crate) effect: String,
    /// How long a `NoExecute` taint is put up with; without it, for ever.
    pub(crate) seconds: Option<i64>,
}

impl Toleration {
    pub(crate) fn takes(&self, taint: &core::Taint) -> bool {
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key == taint.key || (self.key.is_empty() && self.exists))
            && (self.exists || self.value == taint.value.as_deref().unwrap_or_default())
    }
}

pub(crate) fn is_tolerated(tolerations: &[Toleration], taint: &core::Taint) -> bool {
    tolerations.iter().any(|toleration| toleration.takes(taint))
}

impl From<&core::Toleration> for Toleration {
    fn from(toleration: &core::Toleration) -> Self {
        Self {
            key: toleration.key.clone().unwrap_or_default(),
            exists: toleration.operator.as_deref() == Some("Exists"),
            value: toleration.value.clone().unwrap_or_default(),
            effect: toleration.effect.clone().unwrap_or_default(),
            seconds: toleration.toleration_seconds,
        }
    }
}
