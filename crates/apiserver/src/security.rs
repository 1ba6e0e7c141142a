//! Who a client is, and what it may do.

pub(crate) mod authentication;
pub(crate) mod authority;
pub(crate) mod authorization;
pub(crate) mod escalation;
pub(crate) mod files;
pub(crate) mod impersonation;
pub(crate) mod rbac;
pub(crate) mod reviews;
pub(crate) mod roles;
pub(crate) mod tokens;
pub(crate) mod user;

pub(crate) use self::user::User;

/// The user that the administrator's token proves.
pub(crate) const ADMINISTRATOR: &str = "admin";
