//! How requests come in and answers go out.

pub(crate) mod in_process;
pub(crate) mod stream;
pub(crate) mod tls;
pub(crate) mod web_socket;
