//! Flink's own programs, by their names or as commands.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use flumen_flink_cli::{Program, Surroundings};

use crate::command::variable;

/// The program that the binary was called as, by a link of that name.
pub(crate) fn called_by(path: Option<&OsStr>) -> Option<Program> {
    Program::named(Path::new(path?).file_name()?.to_str()?)
}

/// The program that a command of ours stands for.
pub(crate) fn subcommand(word: &OsStr) -> Option<Program> {
    match word.to_str()? {
        "flink" => Some(Program::Flink),
        "kubernetes-session" => Some(Program::KubernetesSession),
        _ => None,
    }
}

/// Runs it. `called_at` is the path by which the binary was called, where that has a name of Flink's.
pub(crate) fn run(
    program: Program,
    arguments: impl Iterator<Item = OsString>,
    called_at: Option<OsString>,
) -> ExitCode {
    let mut notes = io::stderr();
    let mut given = Vec::new();
    for argument in arguments {
        match argument.into_string() {
            Ok(text) => given.push(text),
            Err(argument) => {
                let shown = argument.to_string_lossy();
                let _ = writeln!(notes, "error: the argument {shown:?} is no UTF-8 text");
                return ExitCode::FAILURE;
            }
        }
    }
    let directory = match env::current_dir() {
        Ok(directory) => directory,
        Err(error) => {
            let _ = writeln!(notes, "error: could not tell the working directory: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut surroundings = Surroundings {
        // What is no text becomes a name that is not there, and is said as such.
        variable: &|name| variable(name).map(|value| value.to_string_lossy().into_owned()),
        called_at: called_at.map(PathBuf::from).filter(|path| path.components().count() > 1),
        directory,
        input: &mut io::stdin().lock(),
        out: &mut io::stdout().lock(),
        notes: &mut notes,
    };
    ExitCode::from(flumen_flink_cli::run(program, &given, &mut surroundings))
}
