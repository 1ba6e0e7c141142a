use crate::java;

/// A scalar with the type that the core schema gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A whole number of more than 64 bits, in decimal digits.
    Big(String),
    Double(f64),
    Text(String),
}

impl Scalar {
    /// The text that Java gives for the value.
    pub(crate) fn to_java_text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Double(number) => java::double_text(*number),
            Self::Big(text) | Self::Text(text) => text.clone(),
        }
    }
}

/// What a plain scalar stands for in YAML 1.2's core schema.
pub(crate) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Boolean(true),
        "false" | "False" | "FALSE" => return Scalar::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Double(f64::NAN),
        _ => {}
    }
    integer(text).or_else(|| double(text)).unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

fn integer(text: &str) -> Option<Scalar> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            let number = i64::from_str_radix(digits, radix).map(Scalar::Integer);
            let big =
                || u128::from_str_radix(digits, radix).map_or(text.to_owned(), |n| n.to_string());
            return Some(number.unwrap_or_else(|_| Scalar::Big(big())));
        }
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse().map(Scalar::Integer);
    Some(number.unwrap_or_else(|_| Scalar::Big(big_digits(text, digits))))
}

fn big_digits(text: &str, digits: &str) -> String {
    let sign = if text.starts_with('-') { "-" } else { "" };
    format!("{sign}{}", digits.trim_start_matches('0'))
}

fn double(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        return Some(Scalar::Double(sign * f64::INFINITY));
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_number =
        all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !mantissa_is_number || !exponent_is_number {
        return None;
    }
    text.parse().ok().map(Scalar::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_core_schema() {
        for (text, expected) in [
            ("0755", Scalar::Integer(755)),
            ("0o14", Scalar::Integer(12)),
            ("0x1F", Scalar::Integer(31)),
            ("-0", Scalar::Integer(0)),
            ("+1", Scalar::Integer(1)),
            ("1.10", Scalar::Double(1.1)),
            ("1e3", Scalar::Double(1000.0)),
            ("5.", Scalar::Double(5.0)),
            (".5", Scalar::Double(0.5)),
            ("-.inf", Scalar::Double(f64::NEG_INFINITY)),
            ("123456789012345678901", Scalar::Big("123456789012345678901".to_owned())),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
        for text in
            ["yes", "no", "1_000", "0b1", "1:30", "2026-11-20", "NaN", "e1", "1e", "0x", "+", "."]
        {
            assert_eq!(resolve(text), Scalar::Text(text.to_owned()), "{text}");
        }
    }
}
