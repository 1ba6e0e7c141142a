//! What a child of `flumen up` tells it: one line of JSON on standard output.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use flumen_cli::{Explained, Printer};
use serde::{Deserialize, Serialize};

/// What a child says of its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Message {
    /// The local cluster takes requests.
    Local { kubernetes: SocketAddr, registry: SocketAddr, kubeconfig: PathBuf },
    /// The server takes requests.
    Server { listen: SocketAddr, ui_listen: SocketAddr, url: String, ui_url: String },
    /// It could not start.
    Failed { message: String, causes: Vec<String>, hint: Option<String> },
}

impl Message {
    pub(crate) fn send(&self, printer: &Printer) -> Result<()> {
        Ok(printer.line(serde_json::to_string(self)?)?)
    }

    pub(crate) fn failed(error: &Explained) -> Self {
        let Explained { message, causes, hint } = error.clone();
        Self::Failed { message, causes, hint }
    }
}

/// Passes a failure on to `flumen up` as well, which shows it to the user.
pub(crate) fn tell(supervised: bool, done: Result<()>, printer: &Printer) -> Result<()> {
    if let Err(error) = &done
        && supervised
    {
        // Where `up` is gone nobody is left to be told.
        let _ = Message::failed(&crate::failure::explain(error)).send(printer);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_what_to_do() {
        let explained = Explained {
            message: "could not open the database".to_owned(),
            causes: vec!["it is of a later version".to_owned()],
            hint: Some("Start the later version.".to_owned()),
        };
        let line = serde_json::to_string(&Message::failed(&explained)).expect("JSON");
        let Ok(Message::Failed { message, causes, hint }) = serde_json::from_str(&line) else {
            panic!("{line}")
        };
        assert_eq!(Explained { message, causes, hint }, explained);
    }
}
