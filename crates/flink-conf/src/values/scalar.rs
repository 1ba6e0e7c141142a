pub(crate) fn parse_boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_uppercase().as_str() {
        "TRUE" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// Java's `Integer.parseInt`: no blanks, no fraction.
pub(crate) fn parse_integer(text: &str) -> Result<i64, String> {
    let fits = |number: i64| i32::try_from(number).is_ok();
    text.parse()
        .ok()
        .filter(|number| fits(*number))
        .ok_or_else(|| format!("expected a whole number between {} and {}", i32::MIN, i32::MAX))
}

pub(crate) fn parse_long(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "expected a whole number of 64 bits".to_owned())
}

pub(crate) fn parse_double(text: &str) -> Result<f64, String> {
    let number = java_number(text).parse::<f64>();
    number.map_err(|_| "expected a number such as 0.5".to_owned())
}

pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    let number = java_number(text).parse::<f32>();
    number.map(f64::from).map_err(|_| "expected a number such as 0.5".to_owned())
}

/// Java takes blanks around a number and the letters `d` and `f` after it; Rust takes words for
/// infinity that Java does not.
fn java_number(text: &str) -> &str {
    let text = crate::java::trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "Infinity" | "NaN") {
        return text;
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return "";
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text)
}

pub(crate) fn parse_word(text: &str, words: &[&'static str]) -> Result<String, String> {
    if words.is_empty() {
        return Ok(text.to_owned());
    }
    let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    known
        .map(|word| (*word).to_owned())
        .ok_or_else(|| format!("expected one of {}", words.join(", ")))
}
