//! How a failure is told, and with what the process ends.

use std::{error::Error as _, io};

use crate::{Error, Surroundings};

/// Everything that Flink's client calls a failure.
pub(crate) const FAILED: u8 = 1;

pub(crate) fn report(error: &Error, surroundings: &mut Surroundings<'_>) -> u8 {
    if let Error::Print(source) = error
        && source.kind() == io::ErrorKind::BrokenPipe
    {
        return 0;
    }
    // Where nobody listens any more there is nothing to tell.
    let _ = if error.is_usage() {
        tell_usage(error, surroundings)
    } else {
        tell_failure(error, surroundings)
    };
    FAILED
}

fn tell_usage(error: &Error, surroundings: &mut Surroundings<'_>) -> io::Result<()> {
    surroundings.say(error.to_string())?;
    surroundings.say("")?;
    surroundings.say("Use the help option (-h or --help) to get help on the command.")
}

fn tell_failure(error: &Error, surroundings: &mut Surroundings<'_>) -> io::Result<()> {
    let notes = &mut *surroundings.notes;
    writeln!(notes)?;
    writeln!(notes, "{}", "-".repeat(60))?;
    writeln!(notes, " The program finished with the following exception:")?;
    writeln!(notes)?;
    writeln!(notes, "{error}")?;
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            writeln!(notes, "Caused by: {text}")?;
        }
        said = text;
        cause = next.source();
    }
    Ok(())
}
