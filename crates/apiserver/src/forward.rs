//! Requests that are answered by others: pods behind the proxy, kubelets for logs, commands and forwarded ports.

pub(crate) mod logs;
pub(crate) mod proxy;
pub(crate) mod streams;
mod target;
pub(crate) mod upstream;
