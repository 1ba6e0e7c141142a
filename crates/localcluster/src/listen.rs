//! Listeners on the host: on loopback only, and with an error that helps when the port is taken.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::Error;

/// Listens for `what` on `address`.
pub(crate) fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, Error> {
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback { what, address });
    }
    TcpListener::bind(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::AddressInUse { what, address },
        _ => Error::Listen { what, address, source },
    })
}

/// The address that a listener got.
pub(crate) fn local_address(
    what: &'static str,
    listener: &TcpListener,
    asked: SocketAddr,
) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|source| Error::Listen { what, address: asked, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let first = listen("registry", "127.0.0.1:0".parse().expect("address")).expect("free port");
        let address = first.local_addr().expect("address");
        let error = listen("registry", address).expect_err("taken").to_string();
        assert!(
            error.contains(&address.to_string()) && error.contains("choose another port"),
            "{error}"
        );
    }

    #[test]
    fn nothing_listens_where_other_machines_could_reach_it() {
        let error = listen("Kubernetes API", "0.0.0.0:6443".parse().expect("address"))
            .expect_err("refused")
            .to_string();
        assert!(error.contains("127.0.0.1:6443"), "{error}");
    }
}
