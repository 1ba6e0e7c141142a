use proptest::prelude::*;

use super::*;

fn order(one: &str, other: &str) -> Ordering {
    Version::parse(one).cmp(&Version::parse(other))
}
