//! The binary as a user meets it: the command line, its settings, and the processes of `flumen up`.

mod command_line;
mod processes;
mod running;
mod uploads;
