//! Times with microseconds, which must have them.

use serde_json::Value;

const FIELDS: [&str; 4] = ["acquireTime", "renewTime", "eventTime", "lastObservedTime"];
/// The length of a time up to its seconds.
const SECONDS: usize = "2006-01-02T15:04:05".len();

/// Every time that has microseconds must be written with all six digits of them.
pub(super) fn check(object: &Value) -> Result<(), String> {
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.chain(object.get("spec").and_then(Value::as_object).into_iter().flatten());
    let fields =
        fields.chain(object.get("series").and_then(Value::as_object).into_iter().flatten());
    for (_, value) in fields.filter(|(name, _)| FIELDS.contains(&name.as_str())) {
        let text = value.as_str().unwrap_or_default();
        let Some(rest) = text.get(SECONDS..).filter(|_| text.parse::<jiff::Timestamp>().is_ok())
        else {
            continue;
        };
        let digits = rest.strip_prefix('.').unwrap_or_default();
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count != 6 {
            return Err(format!(
                "parsing time \"{text}\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"{rest}\" as \".000000\""
            ));
        }
    }
    Ok(())
}
