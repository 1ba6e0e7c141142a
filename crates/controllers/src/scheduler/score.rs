//! Which of the nodes that fit is the best. Each property gives up to a hundred points, weighted as the real scheduler weights them.

use flumen_quota::Amounts;

use super::affinity;
use super::fit::{Candidate, amount};
use crate::facts::{Constraints, PREFER_NO_SCHEDULE, is_tolerated};

const MOST: i64 = 100;
const TAINTS: i64 = 3;
const AFFINITY: i64 = 2;

/// The best one; of equals the one with the fewest pods, then the first by name.
pub(super) fn best<'a>(
    requests: &Amounts,
    constraints: &Constraints,
    fitting: &[&Candidate<'a>],
) -> Option<&'a str> {
    let disliked: Vec<i64> = fitting.iter().map(|one| disliked(constraints, one)).collect();
    let preferred: Vec<i64> =
        fitting.iter().map(|one| affinity::preference(constraints, one)).collect();
    let most_disliked = disliked.iter().max().copied().unwrap_or_default();
    let most_preferred = preferred.iter().max().copied().unwrap_or_default();
    let rated = fitting.iter().zip(disliked).zip(preferred).map(|((one, disliked), preferred)| {
        let calm = MOST - share(disliked, most_disliked).unwrap_or(0);
        let wish = share(preferred, most_preferred).unwrap_or(0);
        let points = TAINTS * calm + AFFINITY * wish + room(requests, one);
        let pods = one.used.map(|used| amount(used, "pods")).unwrap_or_default();
        (std::cmp::Reverse(points), pods, one.key.name.as_str())
    });
    rated.min().map(|(.., name)| name)
}

fn share(part: i64, whole: i64) -> Option<i64> {
    (part * MOST).checked_div(whole)
}

/// How many taints say that the pod had better not come.
fn disliked(constraints: &Constraints, candidate: &Candidate<'_>) -> i64 {
    let taints = candidate.node.taints.iter().filter(|taint| {
        taint.effect == PREFER_NO_SCHEDULE && !is_tolerated(&constraints.tolerations, taint)
    });
    i64::try_from(taints.count()).unwrap_or(i64::MAX)
}

/// What part of processors and memory is left when the pod is there.
fn room(requests: &Amounts, candidate: &Candidate<'_>) -> i64 {
    let left = |resource| {
        let whole = amount(&candidate.node.allocatable, resource);
        let used = candidate.used.map(|used| amount(used, resource)).unwrap_or_default();
        whole.minus(used).minus(amount(requests, resource)).parts_of(whole, MOST)
    };
    i64::midpoint(left("cpu"), left("memory"))
}
