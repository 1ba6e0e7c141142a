//! Requests that are answered by others: pods behind the proxy, kubelets for logs.

pub(crate) mod logs;
pub(crate) mod proxy;
mod target;
pub(crate) mod upstream;
