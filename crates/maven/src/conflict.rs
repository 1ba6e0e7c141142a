//! Of each artifact one version stays: the nearest to the root, of equally near ones the first; with the widest scope that
//! anybody wants it in. This follows Maven 3's own rounds: one conflict after the other, over the graph that the rounds
//! before left.

use std::collections::{HashMap, HashSet};

use flumen_maven_version::Constraint;

use crate::{
    error::Error,
    graph::{ConflictId, Graph, ListId, NodeId},
    order::Order,
    scope::Scope,
};

/// The longest way through the graph; circles make it longer than any chain of dependencies.
const MAX_WAY: usize = 1000;

/// One place where an artifact is wanted.
struct Item {
    /// The list that it is in.
    list: ListId,
    node: NodeId,
    depth: usize,
    scopes: Vec<Scope>,
    /// Whether somebody wants it as optional, and whether somebody does not.
    optional: [bool; 2],
}

/// What is known of a list of children in this round.
struct Visited {
    depth: usize,
    scopes: Vec<Scope>,
    optional: [bool; 2],
    items: Vec<usize>,
}

/// What the walk is in.
struct Step {
    list: ListId,
    scope: Option<Scope>,
    optional: bool,
    /// Whether items are new here, or were met on a way before.
    is_first: bool,
}

struct Solver<'g> {
    graph: &'g mut Graph,
    conflicts: Vec<ConflictId>,
    ancestors: HashSet<ConflictId>,
    /// The conflicts that are solved, with the node that stays.
    solved: HashMap<ConflictId, Option<NodeId>>,
    current: Option<ConflictId>,
    items: Vec<Item>,
    visited: HashMap<ListId, Visited>,
    way: Vec<Step>,
    on_way: HashSet<ListId>,
}

/// Leaves one node of each artifact in the graph.
pub(crate) fn solve(graph: &mut Graph) -> Result<(), Error> {
    let conflicts = graph.conflicts();
    let order = Order::of(graph, &conflicts);
    let mut solver = Solver {
        graph,
        conflicts,
        ancestors: HashSet::new(),
        solved: HashMap::new(),
        current: None,
        items: Vec::new(),
        visited: HashMap::new(),
        way: Vec::new(),
        on_way: HashSet::new(),
    };
    let mut last = None;
    for id in &order.sorted {
        let winner = solver.round(*id, &order)?;
        solver.solved.insert(*id, winner);
        last = winner;
    }
    // In circles losers may be left below the last winner.
    if let (false, Some(last)) = (order.circles.is_empty(), last) {
        solver.begin(None);
        solver.gather_below(Some(last), solver.graph.nodes[last].children)?;
    }
    Ok(())
}

impl Solver<'_> {
    fn begin(&mut self, id: Option<ConflictId>) {
        self.current = id;
        self.items.clear();
        self.visited.clear();
    }

    fn round(&mut self, id: ConflictId, order: &Order) -> Result<Option<NodeId>, Error> {
        self.begin(Some(id));
        self.ancestors.insert(id);
        self.ancestors.extend(order.circles.get(&id).into_iter().flatten());
        self.gather_below(None, Graph::ROOT)?;
        for item in &mut self.items {
            item.depth = self.visited.get(&item.list).map_or(1, |list| list.depth + 1);
        }
        if self.items.is_empty() {
            return Ok(None);
        }
        let winner = self.select()?;
        let (scope, optional) = (self.widest_scope(winner), self.is_optional());
        let node = self.items[winner].node;
        self.graph.nodes[node].scope = scope;
        self.graph.nodes[node].optional = optional;
        for (index, item) in self.items.iter().enumerate() {
            if index != winner {
                self.graph.lists[item.list].retain(|other| *other != item.node);
            }
        }
        Ok(Some(node))
    }

    /// Whether the node may stay where it is; false for one that lost in a round before.
    fn gather(&mut self, node: NodeId, list: ListId) -> Result<bool, Error> {
        let id = self.conflicts[node];
        if self.current == Some(id) {
            self.add_item(node, list);
        } else if self.solved.get(&id).is_some_and(|won| won.is_some_and(|won| won != node)) {
            return Ok(false);
        } else if self.ancestors.contains(&id) {
            self.gather_below(Some(node), self.graph.nodes[node].children)?;
        }
        Ok(true)
    }

    /// Walks through the children of a node, or of the root, unless nothing new can come of it.
    fn gather_below(&mut self, node: Option<NodeId>, list: ListId) -> Result<(), Error> {
        if !self.enter(node, list) {
            return Ok(());
        }
        if self.way.len() > MAX_WAY {
            return Err(Error::TooDeep {
                at: node
                    .map(|node| self.graph.nodes[node].coordinates.to_string())
                    .unwrap_or_default(),
                depth: MAX_WAY,
            });
        }
        let mut index = 0;
        while let Some(child) = self.graph.lists[list].get(index).copied() {
            if self.gather(child, list)? {
                index += 1;
            } else {
                self.graph.lists[list].remove(index);
            }
        }
        self.way.pop();
        self.on_way.remove(&list);
        Ok(())
    }

    fn enter(&mut self, node: Option<NodeId>, list: ListId) -> bool {
        if !self.on_way.insert(list) {
            return false;
        }
        let scope = node.map(|node| self.scope_here(node, true));
        let optional = node.is_some_and(|node| self.optional_here(node, true));
        let step = Step { list, scope, optional, is_first: false };
        let Some(known) = self.visited.get_mut(&list) else {
            let scopes = scope.into_iter().collect();
            let optional = [optional, !optional];
            let visited = Visited { depth: self.way.len(), scopes, optional, items: Vec::new() };
            self.visited.insert(list, visited);
            self.way.push(Step { is_first: true, ..step });
            return true;
        };
        known.depth = known.depth.min(self.way.len());
        let is_new_scope = scope.is_some_and(|scope| !known.scopes.contains(&scope));
        known.scopes.extend(scope.filter(|_| is_new_scope));
        let is_new_optional = !known.optional[usize::from(!step.optional)];
        known.optional[usize::from(!step.optional)] = true;
        if !is_new_scope && !is_new_optional {
            self.on_way.remove(&list);
            return false;
        }
        let items = known.items.clone();
        self.way.push(step);
        for item in items {
            let node = self.items[item].node;
            let (scope, optional) = (self.scope_here(node, false), self.optional_here(node, false));
            let item = &mut self.items[item];
            if is_new_scope && !item.scopes.contains(&scope) {
                item.scopes.push(scope);
            }
            if is_new_optional {
                item.optional[usize::from(!optional)] = true;
            }
        }
        true
    }

    fn add_item(&mut self, node: NodeId, list: ListId) {
        if !self.way.last().is_some_and(|step| step.is_first && step.list == list) {
            return;
        }
        let optional = self.optional_here(node, false);
        let item = Item {
            list,
            node,
            depth: 0,
            scopes: vec![self.scope_here(node, false)],
            optional: [optional, !optional],
        };
        self.items.push(item);
        let place = self.items.len() - 1;
        if let Some(visited) = self.visited.get_mut(&list) {
            visited.items.push(place);
        }
    }

    /// The scope of a node on this way. One that won has its scope for all ways.
    fn scope_here(&self, node: NodeId, is_solved_final: bool) -> Scope {
        let own = self.graph.nodes[node].scope;
        if is_solved_final && self.solved.contains_key(&self.conflicts[node]) {
            return own;
        }
        own.below(self.way.last().and_then(|step| step.scope))
    }

    fn optional_here(&self, node: NodeId, is_solved_final: bool) -> bool {
        let own = self.graph.nodes[node].optional;
        if own || (is_solved_final && self.solved.contains_key(&self.conflicts[node])) {
            return own;
        }
        self.way.last().is_some_and(|step| step.optional)
    }

    /// The nearest; of two in one list, which come of a range, the newer.
    fn select(&self) -> Result<usize, Error> {
        let mut constraints: Vec<&Constraint> = Vec::new();
        let mut candidates: Vec<usize> = Vec::new();
        let mut winner: Option<usize> = None;
        let version = |item: usize| &self.graph.nodes[self.items[item].node].version;
        for item in 0..self.items.len() {
            let constraint = &self.graph.nodes[self.items[item].node].constraint;
            let is_range = matches!(constraint, Constraint::Ranges(_));
            let is_new = is_range && !constraints.contains(&constraint);
            if is_new {
                constraints.push(constraint);
            }
            let goes_back = is_new && winner.is_some_and(|won| !constraint.allows(version(won)));
            let fits = |item: usize| constraints.iter().all(|one| one.allows(version(item)));
            let is_acceptable = fits(item);
            if is_acceptable {
                candidates.push(item);
            }
            if goes_back {
                candidates.retain(|candidate| fits(*candidate));
                winner = None;
                for candidate in &candidates {
                    if winner.is_none_or(|won| self.is_nearer(*candidate, won)) {
                        winner = Some(*candidate);
                    }
                }
                if winner.is_none() {
                    return Err(self.contradiction());
                }
            } else if is_acceptable && winner.is_none_or(|won| self.is_nearer(item, won)) {
                winner = Some(item);
            }
        }
        winner.ok_or_else(|| self.contradiction())
    }

    fn is_nearer(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.items[one], &self.items[other]);
        if one.list == other.list {
            return self.graph.nodes[one.node].version > self.graph.nodes[other.node].version;
        }
        one.depth < other.depth
    }

    fn contradiction(&self) -> Error {
        let nodes = self.items.iter().map(|item| &self.graph.nodes[item.node]);
        let mut wanted: Vec<String> =
            nodes.clone().map(|node| node.constraint.to_string()).collect();
        wanted.sort();
        wanted.dedup();
        let first = nodes.clone().next().map(|node| &node.coordinates.gav);
        let artifact =
            first.map(|gav| format!("{}:{}", gav.group, gav.artifact)).unwrap_or_default();
        Error::Contradiction { artifact, wanted }
    }

    fn widest_scope(&self, winner: usize) -> Scope {
        let own = self.graph.nodes[self.items[winner].node].scope;
        if own == Scope::System {
            return own;
        }
        let mut scopes = Vec::new();
        for item in &self.items {
            if item.depth <= 1 {
                return self.graph.nodes[item.node].scope;
            }
            for scope in &item.scopes {
                if !scopes.contains(scope) {
                    scopes.push(*scope);
                }
            }
        }
        Scope::widest(&scopes)
    }

    fn is_optional(&self) -> bool {
        let direct = self.items.iter().find(|item| item.depth <= 1);
        let of_direct = direct.map(|item| self.graph.nodes[item.node].optional);
        of_direct.unwrap_or_else(|| self.items.iter().all(|item| !item.optional[1]))
    }
}
