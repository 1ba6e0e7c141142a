//! The only place that prints. Results go to standard output, everything else to standard error.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

use comfy_table::{Attribute, Color, ContentArrangement, presets};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::{Cell, Error, Explained, OutputFormat, Table, Tone, error};

mod progress;

pub(crate) use progress::Progress;

/// How wide a table is where there is no terminal to ask.
const WIDTH: u16 = 160;
/// What says that it is narrower does not know its width: some say 0.
const NARROWEST: u16 = 40;

/// Prints results, notes and errors as the surroundings can show them.
#[derive(Debug, Clone)]
pub struct Printer {
    format: OutputFormat,
    sink: Sink,
    colour: Colour,
}

#[derive(Debug, Clone)]
enum Sink {
    Process,
    Memory { output: Shared, errors: Shared },
}

type Shared = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Clone, Copy)]
struct Colour {
    output: bool,
    errors: bool,
}

impl Printer {
    /// Prints to this process's standard output and standard error; in colour where those are
    /// terminals and `NO_COLOR` is not set.
    pub fn of_process(format: OutputFormat, no_color: bool) -> Self {
        let colour = Colour {
            output: !no_color && io::stdout().is_terminal(),
            errors: !no_color && io::stderr().is_terminal(),
        };
        Self { format, sink: Sink::Process, colour }
    }

    /// Prints into memory, as to a file.
    pub fn in_memory(format: OutputFormat) -> (Self, Shared, Shared) {
        let (output, errors) = (Shared::default(), Shared::default());
        let sink = Sink::Memory { output: output.clone(), errors: errors.clone() };
        let colour = Colour { output: false, errors: false };
        (Self { format, sink, colour }, output, errors)
    }

    /// Whether results are for programs.
    pub fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Whether a person sees what happens meanwhile.
    pub fn is_interactive(&self) -> bool {
        matches!(self.sink, Sink::Process) && io::stderr().is_terminal()
    }

    /// Prints one value for programs.
    ///
    /// # Errors
    /// Standard output is closed or full; so for all methods that print results.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| Error::Print { source: io::Error::other(error) })?;
        text.push(b'\n');
        self.bytes(&text)
    }

    /// Prints a line of a result.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Error> {
        self.bytes(format!("{}\n", text.as_ref()).as_bytes())
    }

    /// Prints a table.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn table(&self, table: &Table) -> Result<(), Error> {
        let text = self.render(table);
        self.bytes(text.as_bytes())
    }

    /// Prints bytes as they are.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        let written = match &self.sink {
            Sink::Process => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Sink::Memory { output, .. } => keep(output, bytes),
        };
        written.map_err(|source| Error::Print { source })
    }

    /// Prints a line beside the result, such as a step that is done.
    pub fn note(&self, text: impl AsRef<str>) {
        let line = format!("{}\n", text.as_ref());
        // Nothing can be done about a standard error that is closed.
        let _ = match &self.sink {
            Sink::Process => io::stderr().lock().write_all(line.as_bytes()),
            Sink::Memory { errors, .. } => keep(errors, line.as_bytes()),
        };
    }

    /// Prints an error: what failed, what lies behind it, what to do.
    pub fn error(&self, error: &Explained) {
        let mut text = format!("{} {}", self.paint("error:", Tone::Bad), error.message);
        for cause in &error.causes {
            let _ = write!(text, "\n  {} {cause}", self.paint("because:", Tone::Quiet));
        }
        if let Some(hint) = &error.hint {
            let _ = write!(text, "\n  {} {hint}", self.paint("what to do:", Tone::Notice));
        }
        self.note(text);
    }

    /// A text for standard error in the colour of what it says.
    pub fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            _ if !self.colour.errors => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Notice => "33",
            Tone::Bad => "1;31",
            Tone::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// What is shown while something goes on; nothing without a terminal.
    pub(crate) fn progress(&self) -> Progress {
        let bar =
            if self.is_interactive() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        Progress::new(self.clone(), bar)
    }

    fn render(&self, table: &Table) -> String {
        let mut shown = comfy_table::Table::new();
        shown.load_style(presets::NOTHING);
        // Pairs are not broken into lines of our own: paths and links in them are there to be copied.
        if !table.header.is_empty() {
            let terminal = shown.width().filter(|_| matches!(self.sink, Sink::Process));
            shown.set_content_arrangement(ContentArrangement::Dynamic);
            shown.set_width(terminal.filter(|width| *width >= NARROWEST).unwrap_or(WIDTH));
        }
        if self.colour.output {
            shown.enforce_styling();
        } else {
            shown.force_no_tty();
        }
        if !table.header.is_empty() {
            let header = table.header.iter().map(comfy_table::Cell::new);
            shown.set_header(header.map(|cell| cell.add_attribute(Attribute::Bold)));
        }
        for row in &table.rows {
            shown.add_row(row.iter().map(cell));
        }
        for column in shown.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = String::new();
        for line in shown.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn cell(cell: &Cell) -> comfy_table::Cell {
    let shown = comfy_table::Cell::new(&cell.text);
    match cell.tone {
        Tone::Plain => shown,
        Tone::Good => shown.fg(Color::Green),
        Tone::Notice => shown.fg(Color::Yellow),
        Tone::Bad => shown.fg(Color::Red),
        Tone::Quiet => shown.add_attribute(Attribute::Dim),
    }
}

fn keep(memory: &Shared, bytes: &[u8]) -> io::Result<()> {
    memory.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
}

impl From<&Error> for Explained {
    fn from(error: &error::Error) -> Self {
        error.explained()
    }
}
