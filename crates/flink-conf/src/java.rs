//! What Flink's texts and orders inherit from Java: how a number becomes text, and in which order a
//! hash map hands out its keys.

/// The text that Java's `Double.toString` gives: `1.0`, `0.5`, `1.0E7`, `1.0E-4`.
///
/// The digits are the fewest that read back as the same number, which is what Java prints since 19
/// and, but for a few numbers at the edge of precision, before.
pub fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// `String.hashCode`: a polynomial over the UTF-16 units, wrapping at 32 bits.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The bucket of `key` in a `HashMap` with this many buckets (a power of two).
fn bucket(key: &str, capacity: u32) -> u32 {
    let hash = string_hash(key).cast_unsigned();
    (hash ^ (hash >> 16)) & (capacity - 1)
}

/// The number of buckets of a `HashMap` into which `entries` were put one by one.
pub fn grown_capacity(entries: usize) -> u32 {
    let mut capacity = 16_u32;
    while entries > capacity as usize / 4 * 3 {
        capacity *= 2;
    }
    capacity
}

/// The number of buckets of a `HashMap` made as a copy of one with `entries` entries (up to Java 17).
pub fn copied_capacity(entries: usize) -> u32 {
    let wanted = entries as u64 * 4 / 3 + 1;
    u32::try_from(wanted).unwrap_or(u32::MAX / 2).next_power_of_two().max(1)
}

/// The positions of `keys`, given in the order of insertion, in the order in which a `HashMap` with
/// this many buckets hands them out.
pub fn hash_order(keys: &[&str], capacity: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_cached_key(|&at| bucket(keys[at], capacity));
    order
}

/// `String.trim`: takes off blanks and control characters.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}

/// `Character.isWhitespace`, which leaves out the blanks that must not be broken at.
pub(crate) fn is_whitespace(character: char) -> bool {
    let is_kept = matches!(character, '\u{a0}' | '\u{85}' | '\u{2007}' | '\u{202f}');
    (character.is_whitespace() && !is_kept) || ('\u{1c}'..='\u{1f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (number, text) in [
            (1.0, "1.0"),
            (0.5, "0.5"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1.25e10, "1.25E10"),
            (0.001, "0.001"),
            (1e-4, "1.0E-4"),
            (-0.0, "-0.0"),
            (123_456.789, "123456.789"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(double_text(number), text);
        }
    }

    #[test]
    fn strings_hash_as_in_java() {
        assert_eq!(string_hash(""), 0);
        assert_eq!(string_hash("hello"), 99_162_322);
        assert_eq!(string_hash("polygenelubricants"), i32::MIN);
        assert_eq!(string_hash("😀"), 1_772_899);
    }
}
