//! YAML as Flink reads and writes it: 1.2 with the core schema, through a parser of events, since no
//! reader of whole documents resolves `0755`, `yes` and `1_000` the way Flink's does.

mod flow;
mod load;
mod resolve;
pub(crate) mod scalar;

use std::collections::BTreeMap;

pub(crate) use flow::{flow_text, render_flow};
pub(crate) use load::{Fault, Placed, PlacedNode, load_document, load_value};
pub(crate) use resolve::{Scalar, resolve};

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Scalar(Scalar::Null)
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Scalar(Scalar::Text(text.to_owned()))
    }

    pub(crate) fn text_mapping(map: &BTreeMap<String, String>) -> Self {
        Self::Mapping(map.iter().map(|(key, value)| (Self::text(key), Self::text(value))).collect())
    }
}
