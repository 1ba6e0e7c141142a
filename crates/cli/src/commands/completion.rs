use clap::Args;
use clap_complete::Shell;

use crate::{Error, Printer};

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen completion bash > /etc/bash_completion.d/flumen
  source <(flumen completion zsh)")]
pub struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(
        self,
        printer: &Printer,
        mut command_line: clap::Command,
    ) -> Result<(), Error> {
        let name = command_line.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, name, &mut script);
        printer.bytes(&script)
    }
}
