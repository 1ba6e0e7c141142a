//! The splitter and the classifier beside Flink's own parser, and on any input.

mod any_input;
mod checks;
mod recorded;
