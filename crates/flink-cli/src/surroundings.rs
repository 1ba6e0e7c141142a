use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
};

/// What a command gets from the process that it runs in.
pub struct Surroundings<'a> {
    /// Looks an environment variable up.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The directory that paths are relative to.
    pub directory: PathBuf,
    /// Where the binary lies that was called, if by a name of Flink's. Its distribution may be around it.
    pub called_at: Option<PathBuf>,
    /// Commands for a session that is attached to, a line each.
    pub input: &'a mut dyn BufRead,
    /// Results.
    pub out: &'a mut dyn Write,
    /// Notes, warnings and errors.
    pub notes: &'a mut dyn Write,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Surroundings").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Surroundings<'_> {
    /// A variable that is set to something.
    pub(crate) fn set(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    /// A path of the user's, from the directory that the command runs in.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Prints a line of the result at once: scripts read it while the command waits.
    pub(crate) fn say(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", line.as_ref())?;
        self.out.flush()
    }

    /// Prints a warning. Who closed standard error does not want it.
    pub(crate) fn warn(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.notes, "warning: {text}");
    }
}
