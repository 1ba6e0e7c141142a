//! Who may do what by roles and bindings: values in, verdict out.

pub(crate) use self::{
    bindings::RoleRef,
    policy::{Policy, Verdict, is_master},
    rule::{Rule, describe, quoted, uncovered},
};

mod bindings;
pub(crate) mod defaults;
mod policy;
mod rule;
