use std::time::Duration;

/// Prints a kind of failure with its times.
pub(crate) fn line(kind: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let tries = times.len();
    // The nearest rank, which is a time that was measured.
    let at = |percent: usize| times[(tries * percent).div_ceil(100).max(1) - 1].as_millis();
    println!("  {kind:<62} {tries:>7} {:>4} ms {:>4} ms {:>4} ms", at(50), at(99), at(100));
}
