//! The order in which conflicts are solved: one after all that can lie above it, as far as there is no circle.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::graph::{ConflictId, Graph, ListId, NodeId};

/// Conflicts in their order, and for those in circles all that they are in a circle with.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) sorted: Vec<ConflictId>,
    pub(crate) circles: HashMap<ConflictId, BTreeSet<ConflictId>>,
}

#[derive(Debug)]
struct Vertex {
    id: ConflictId,
    children: Vec<usize>,
    depth: usize,
    above: usize,
}

#[derive(Default)]
struct Vertices {
    all: Vec<Vertex>,
    places: HashMap<ConflictId, usize>,
    edges: HashSet<(usize, usize)>,
}

impl Order {
    pub(crate) fn of(graph: &Graph, conflicts: &[ConflictId]) -> Self {
        let mut vertices = Vertices::default();
        vertices.build(graph, conflicts);
        vertices.measure();
        vertices.sort()
    }
}

impl Vertices {
    /// Makes vertices and edges in the order of a walk that visits each node once, depth first.
    fn build(&mut self, graph: &Graph, conflicts: &[ConflictId]) {
        let mut visited = vec![false; graph.nodes.len()];
        let mut walk: Vec<(Option<usize>, ListId, usize)> = vec![(None, Graph::ROOT, 0)];
        while let Some((above, list, next)) = walk.pop() {
            let Some(&node): Option<&NodeId> = graph.lists[list].get(next) else { continue };
            walk.push((above, list, next + 1));
            let vertex = self.vertex(conflicts[node]);
            if let Some(above) = above
                && self.edges.insert((above, vertex))
            {
                self.all[above].children.push(vertex);
                self.all[vertex].above += 1;
            }
            if !std::mem::replace(&mut visited[node], true) {
                walk.push((Some(vertex), graph.nodes[node].children, 0));
            }
        }
        for node in &graph.lists[Graph::ROOT] {
            let vertex = self.vertex(conflicts[*node]);
            self.all[vertex].depth = 1;
        }
    }

    fn vertex(&mut self, id: ConflictId) -> usize {
        let next = self.all.len();
        let place = *self.places.entry(id).or_insert(next);
        if place == next {
            self.all.push(Vertex { id, children: Vec::new(), depth: usize::MAX, above: 0 });
        }
        place
    }

    /// The least depth of each, breadth first from the roots.
    fn measure(&mut self) {
        let roots = (0..self.all.len()).filter(|place| self.all[*place].depth == 1);
        let mut queue: VecDeque<usize> = roots.collect();
        while let Some(place) = queue.pop_front() {
            let depth = self.all[place].depth + 1;
            for child in self.all[place].children.clone() {
                if depth < self.all[child].depth {
                    self.all[child].depth = depth;
                    queue.push_back(child);
                }
            }
        }
    }

    fn sort(mut self) -> Order {
        let mut order = Order::default();
        let mut above: Vec<usize> = self.all.iter().map(|vertex| vertex.above).collect();
        let mut ready: VecDeque<usize> = VecDeque::new();
        for (place, above) in above.iter().enumerate() {
            if *above == 0 {
                self.enqueue(&mut ready, place);
            }
        }
        let mut done = vec![false; self.all.len()];
        let mut has_circles = false;
        loop {
            while let Some(place) = ready.pop_front() {
                done[place] = true;
                order.sorted.push(self.all[place].id);
                for child in std::mem::take(&mut self.all[place].children) {
                    if above[child] > 0 {
                        above[child] -= 1;
                        if above[child] == 0 {
                            self.enqueue(&mut ready, child);
                        }
                    }
                }
            }
            // Only circles are left: the nearest to the root is taken first.
            let left = (0..self.all.len()).filter(|place| !done[*place] && above[*place] > 0);
            let Some(nearest) = left.min_by_key(|place| (self.all[*place].depth, above[*place]))
            else {
                break;
            };
            has_circles = true;
            above[nearest] = 0;
            ready.push_back(nearest);
        }
        if has_circles {
            order.circles = self.circles();
        }
        order
    }

    /// Puts it behind those that are as near or nearer.
    fn enqueue(&self, ready: &mut VecDeque<usize>, place: usize) {
        let depth = self.all[place].depth;
        let at = ready.partition_point(|other| self.all[*other].depth <= depth);
        ready.insert(at, place);
    }

    /// Circles as a walk over all edges meets them.
    fn circles(&self) -> HashMap<ConflictId, BTreeSet<ConflictId>> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.all.len()];
        let mut edges: Vec<_> = self.edges.iter().copied().collect();
        edges.sort_unstable();
        for (above, below) in edges {
            children[above].push(below);
        }
        let mut circles: HashMap<ConflictId, BTreeSet<ConflictId>> = HashMap::new();
        let mut visited = vec![false; self.all.len()];
        for start in 0..self.all.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            if !std::mem::replace(&mut visited[start], true) {
                path.push((start, 0));
            }
            while let Some((place, next)) = path.pop() {
                let Some(&child) = children[place].get(next) else { continue };
                path.push((place, next + 1));
                if let Some(begin) = path.iter().position(|(place, _)| *place == child) {
                    let circle: BTreeSet<_> =
                        path[begin..].iter().map(|(place, _)| self.all[*place].id).collect();
                    for id in &circle {
                        circles.entry(*id).or_default().extend(&circle);
                    }
                } else if !std::mem::replace(&mut visited[child], true) {
                    path.push((child, 0));
                }
            }
        }
        circles
    }
}
