use super::option::FlinkOption;

/// Free-form keys: what follows is the user's or another library's, so nothing there is a slip.
const FREE: [&str; 12] = [
    "containerized.master.env.",
    "containerized.taskmanager.env.",
    "flink.hadoop.",
    "fs.",
    "hive.",
    "metrics.reporter.",
    "parquet.",
    "pipeline.global-job-parameters.",
    "presto.",
    "s3.",
    "s3a.",
    "user.",
];

/// The key with the fewest edits between it and `key`, if they are few for its length.
pub(super) fn nearest(
    key: &str,
    options: impl Iterator<Item = &'static FlinkOption>,
) -> Option<&'static str> {
    if FREE.iter().any(|prefix| key.starts_with(prefix)) {
        return None;
    }
    let limit = (key.len() / 8).clamp(1, 4);
    let mut best: Option<(usize, &'static str)> = None;
    for option in options.filter(|option| !option.is_pattern() && !option.internal) {
        for known in option.keys().filter(|known| known.len().abs_diff(key.len()) <= limit) {
            let limit = best.map_or(limit, |(edits, _)| edits.saturating_sub(1));
            if let Some(edits) = edits_within(key.as_bytes(), known.as_bytes(), limit) {
                best = Some((edits, known));
            }
        }
    }
    best.map(|(_, known)| known)
}

/// The number of characters to insert, remove, replace or swap with their neighbour, if at most
/// `limit`.
fn edits_within(one: &[u8], two: &[u8], limit: usize) -> Option<usize> {
    if one.len().abs_diff(two.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = vec![0; two.len() + 1];
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1; two.len() + 1];
        for (j, b) in two.iter().enumerate() {
            let replaced = last[j] + usize::from(!a.eq_ignore_ascii_case(b));
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        if row.iter().min().is_some_and(|least| *least > limit) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|edits| *edits <= limit)
}
