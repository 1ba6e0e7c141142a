//! Numbers in the details of steps.

/// How many of what.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A size in bytes, for people.
pub(crate) fn bytes(size: u64) -> String {
    let tenths = |unit: u64| (size / unit, size % unit * 10 / unit);
    let (unit, name) = match size {
        0..1_000 => return format!("{size} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let (whole, part) = tenths(unit);
    format!("{whole}.{part} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (45_390_000, "45.3 MB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn one_is_no_more_than_one() {
        assert_eq!([count(1, "file"), count(0, "file")], ["1 file", "0 files"]);
    }
}
