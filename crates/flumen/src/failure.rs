//! How the commands of this crate say that they failed.

use std::process::ExitCode;

use flumen_cli::{Explained, FAILED, Printer, code_for};
use flumen_model::Kind;

/// A value that the user gave is wrong.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// An error with its causes, as every command shows it.
pub(crate) fn explain(error: &anyhow::Error) -> Explained {
    Explained {
        message: error.to_string(),
        causes: Explained::chain(error.chain().nth(1)),
        hint: hint(error),
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    let of_tools = || error.downcast_ref().and_then(flumen_tools::Error::hint).map(str::to_owned);
    error.downcast_ref().and_then(flumen_control::Error::hint).or_else(of_tools)
}

/// Shows the error and says with what the process ends.
pub(crate) fn report(printer: &Printer, error: &anyhow::Error) -> ExitCode {
    if let Some(told) = error.downcast_ref::<crate::up::Told>() {
        printer.error(&told.0);
        return ExitCode::from(FAILED);
    }
    printer.error(&explain(error));
    ExitCode::from(if error.is::<Wrong>() { code_for(Kind::Invalid) } else { FAILED })
}
