#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod check;
mod factories;
mod kind;
mod lexer;
mod position;
mod report;
mod runner;
mod script;
mod setting;
mod text;
mod token;
mod with_options;

pub use check::{Finding, Problem, Target, check};
pub use factories::{FactoryKind, Origin, origin, release};
pub use flumen_flink_conf::Severity;
pub use kind::{Object, StatementKind};
pub use position::Position;
pub use report::{Explained, MissingFactory, Outcome, Record, Refused, Report, missing_factory};
pub use runner::runner_file;
pub use script::{Script, Statement};
pub use setting::Setting;
pub use token::{Token, TokenKind};
pub use with_options::{WithOption, with_options};
