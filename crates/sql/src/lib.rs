#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod kind;
mod lexer;
mod position;
mod script;
mod token;

pub use kind::{Object, StatementKind};
pub use position::Position;
pub use script::{Script, Statement};
pub use token::{Token, TokenKind};
