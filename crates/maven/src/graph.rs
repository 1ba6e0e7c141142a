//! The graph of everything that is wanted, before one version of each artifact wins.

use std::collections::HashMap;

use flumen_maven_version::{Constraint, Version};

use crate::{coordinates::Coordinates, scope::Scope};

pub(crate) type NodeId = usize;
pub(crate) type ListId = usize;
pub(crate) type ConflictId = usize;

/// Nodes, and lists of children; several nodes may share a list, also in a circle.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) lists: Vec<Vec<NodeId>>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) coordinates: Coordinates,
    pub(crate) version: Version,
    pub(crate) constraint: Constraint,
    pub(crate) scope: Scope,
    pub(crate) optional: bool,
    /// What it was called before it was relocated.
    pub(crate) formerly: Vec<Coordinates>,
    pub(crate) children: ListId,
}

/// Of two artifacts with the same of these only one stays.
type Key = [String; 4];

pub(crate) fn key(of: &Coordinates) -> Key {
    [&of.gav.group, &of.gav.artifact, &of.extension, &of.classifier].map(Clone::clone)
}

impl Graph {
    /// The list of what the user asks for.
    pub(crate) const ROOT: ListId = 0;

    pub(crate) fn new() -> Self {
        Self { nodes: Vec::new(), lists: vec![Vec::new()] }
    }

    pub(crate) fn add_list(&mut self) -> ListId {
        self.lists.push(Vec::new());
        self.lists.len() - 1
    }

    pub(crate) fn add(&mut self, to: ListId, node: Node) {
        self.nodes.push(node);
        self.lists[to].push(self.nodes.len() - 1);
    }

    /// For each node which conflict it takes part in: same group, artifact, ending and classifier, also by a name that it
    /// had before.
    pub(crate) fn conflicts(&self) -> Vec<ConflictId> {
        let mut ids: HashMap<Key, ConflictId> = HashMap::new();
        let mut merged: Vec<ConflictId> = Vec::new();
        let root = |merged: &[ConflictId], mut id: ConflictId| {
            while merged[id] != id {
                id = merged[id];
            }
            id
        };
        let mut of_nodes = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut own = None;
            for name in std::iter::once(&node.coordinates).chain(&node.formerly) {
                let next = merged.len();
                let id = *ids.entry(key(name)).or_insert(next);
                if id == next {
                    merged.push(id);
                }
                let id = root(&merged, id);
                let first = *own.get_or_insert(id);
                let (low, high) = (first.min(id), first.max(id));
                merged[high] = low;
                own = Some(low);
            }
            of_nodes.push(own.unwrap_or_default());
        }
        of_nodes.iter().map(|id| root(&merged, *id)).collect()
    }
}
