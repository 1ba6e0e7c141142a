use flumen_maven::PLATFORM_RULES;
use serde_json::json;

use crate::{Error, Streams};

pub(super) fn run(streams: &mut Streams<'_>) -> Result<(), Error> {
    if streams.json {
        let rules =
            PLATFORM_RULES.iter().map(|(rule, why)| json!({ "exclude": rule, "reason": why }));
        return streams.print_json(&json!({ "rules": rules.collect::<Vec<_>>() }));
    }
    let width = PLATFORM_RULES.iter().map(|(rule, _)| rule.len()).max().unwrap_or_default();
    PLATFORM_RULES
        .iter()
        .try_for_each(|(rule, why)| streams.print(&format!("{rule:width$}  {why}\n")))
}
