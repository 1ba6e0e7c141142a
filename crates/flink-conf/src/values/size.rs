use flumen_model::ByteSize;

/// The units that Flink writes a size in. Terabytes are read but never written.
const WRITTEN: [(u32, &str); 3] = [(30, "gb"), (20, "mb"), (10, "kb")];

/// The most bytes that Flink's signed number holds.
const MAXIMUM: u64 = i64::MAX as u64;

pub(crate) fn parse(text: &str) -> Result<ByteSize, String> {
    if !text.is_ascii() {
        return Err("expected digits and a unit, such as 1600m or 2g".to_owned());
    }
    // A job file may say these; Flink's options may not.
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c <= ' ').trim_end();
    if ["kib", "mib", "gib", "tib"].iter().any(|wrong| wrong.eq_ignore_ascii_case(unit)) {
        return Err("the unit must be one of b, k, m, g, t (or kb, mb, gb, tb)".to_owned());
    }
    let size: ByteSize = text.parse().map_err(|error: flumen_model::InvalidValue| error.allowed)?;
    if size.bytes() > MAXIMUM {
        return Err("more bytes than a signed 64-bit number holds".to_owned());
    }
    Ok(size)
}

/// Reads a size as Flink does: digits, then a unit (bytes if there is none).
///
/// # Errors
/// What is allowed, if the text is no size.
pub fn parse_size(text: &str) -> Result<ByteSize, String> {
    parse(text)
}

/// The text that Flink writes for a size: in the largest unit up to `gb` that divides it.
pub fn render_size(size: ByteSize) -> String {
    let bytes = size.bytes();
    let unit = WRITTEN.iter().find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    match unit {
        Some((30, _)) if bytes >> 30 >= 1024 && bytes.trailing_zeros() >= 40 => {
            format!("{bytes} bytes")
        }
        Some((shift, name)) => format!("{} {name}", bytes >> shift),
        None => format!("{bytes} bytes"),
    }
}

/// A size as Flink words it in errors: `256.000mb (268435456 bytes)`.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [(u32, &str); 4] = [(40, "tb"), (30, "gb"), (20, "mb"), (10, "kb")];
    let Some((shift, unit)) = UNITS.iter().find(|(shift, _)| bytes > 1 << shift) else {
        return format!("{bytes} bytes");
    };
    let one = 1_u128 << shift;
    let thousandths = (u128::from(bytes) * 2000 + one) / (2 * one);
    format!("{}.{:03}{unit} ({bytes} bytes)", thousandths / 1000, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn sizes_in_errors_are_worded_as_flink_words_them() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/values.json")).expect("valid JSON");
        let mut compared = 0;
        for case in cases.iter().filter(|case| case["kind"] == "memory") {
            let result = &case["results"][0]["result"];
            let (Some(bytes), Some(text)) = (result["bytes"].as_u64(), result["human"].as_str())
            else {
                continue;
            };
            assert_eq!(human(bytes), text);
            compared += 1;
        }
        assert_eq!(compared, 21);
    }
}
