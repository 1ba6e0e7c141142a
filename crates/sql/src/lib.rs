#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod check;
mod factories;
mod functions;
mod kind;
mod lexer;
mod piece;
mod position;
mod runner;
mod script;
mod setting;
mod text;
mod token;
mod variables;
mod with_options;

pub use check::{Finding, Problem, Target, check};
pub use factories::{FactoryKind, Origin, origin, release};
pub use flumen_flink_conf::Severity;
pub use functions::uses_python;
pub use kind::{Object, StatementKind};
pub use position::Position;
pub use runner::runner_file;
pub use script::{Script, Statement};
pub use setting::Setting;
pub use token::{Token, TokenKind};
pub use variables::{Resolved, SecretReference, VariableProblem, resolve};
pub use with_options::{WithOption, with_options};
