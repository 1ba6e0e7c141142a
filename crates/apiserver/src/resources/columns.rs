//! The columns that `kubectl get` prints for each kind.

use serde_json::Value;

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// `string`, `integer` or `date`.
    pub(crate) kind: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub(crate) priority: u8,
    pub(crate) cell: fn(&Value) -> Value,
}

pub(super) const NAME_AND_AGE: &[Column] = &[];
pub(super) const LEASE: &[Column] = &[];
pub(super) const NAMESPACE: &[Column] = &[];
pub(super) const NODE: &[Column] = &[];
pub(super) const POD: &[Column] = &[];
pub(super) const SERVICE: &[Column] = &[];
pub(super) const ENDPOINTS: &[Column] = &[];
pub(super) const EVENT: &[Column] = &[];
pub(super) const CONFIG_MAP: &[Column] = &[];
pub(super) const SECRET: &[Column] = &[];
pub(super) const SERVICE_ACCOUNT: &[Column] = &[];
pub(super) const DEPLOYMENT: &[Column] = &[];
pub(super) const REPLICA_SET: &[Column] = &[];
