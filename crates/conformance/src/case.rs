//! Cases: requests in their order, read from the files in `cases`.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

/// A sequence of requests in a namespace of its own.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file and the name in it: `patches/a merge patch removes by null`.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// The steps as text, to tell what a client said from what a server made up.
    pub(crate) source: String,
}

/// A case as it is written. With `rows` it is one case for each row, which stands for `{row}` in the steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    rows: serde_json::Map<String, Value>,
    steps: Vec<Value>,
}

/// One request and what is kept of its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// A method or `WATCH`, `SOCKET`, `READ`, `WAIT`, and a path, which is one in the case's namespace unless it starts with a slash;
    /// or `MAY`, a verb and a resource.
    pub(crate) r#do: String,
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// A body that is no JSON.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// The media type of the body, or a short name for one.
    #[serde(default, rename = "as")]
    pub(crate) media_type: Option<String>,
    /// What is accepted, or a short name for it.
    #[serde(default)]
    pub(crate) accept: Option<String>,
    /// A bearer token other than the administrator's.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// Further headers, such as those that ask to act as another user.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Parts of the answer that later steps name in braces.
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) show: Option<Show>,
    /// The parts of the answer that matter: pointers, in which `[name=x]` finds an item of a list.
    #[serde(default)]
    pub(crate) pick: Vec<String>,
    /// Whether the managers of fields matter.
    #[serde(default)]
    pub(crate) managers: bool,
    /// How many events of a watch are read, and whether it then ends.
    #[serde(default)]
    pub(crate) events: usize,
    #[serde(default)]
    pub(crate) end: bool,
    /// The name under which a watch stays open.
    #[serde(default)]
    pub(crate) open: Option<String>,
    /// What is waited for: a part of the object, or `gone`; of `MAY` whether it may, which is true unless it is said.
    #[serde(default)]
    pub(crate) until: Option<Value>,
}

/// How much of an answer is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Show {
    All,
    Code,
    Nothing,
}

impl Step {
    /// The verb and the path.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.r#do.split_once(' ').unwrap_or((&self.r#do, ""))
    }

    /// How much is recorded: of a wait nothing, unless it is said.
    pub(crate) fn shown(&self) -> Show {
        let waits = matches!(self.parts().0, "WAIT" | "MAY");
        let usual = if waits { Show::Nothing } else { Show::All };
        self.show.unwrap_or(usual)
    }
}

impl Case {
    /// Whether it needs its namespace.
    pub(crate) fn needs_namespace(&self) -> bool {
        self.source.contains("{ns}")
            || self.steps.iter().any(|step| {
                let (verb, path) = step.parts();
                !matches!(verb, "READ" | "MAY") && !path.starts_with('/')
            })
    }
}

/// All cases of a directory, by area, in the order of its files.
pub(crate) fn read_all(directory: &Path) -> Result<Vec<(String, Vec<Case>)>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("could not read {}", directory.display()))?;
    for entry in entries {
        files.push(entry?.path());
    }
    files.sort();
    let mut areas = Vec::new();
    for file in files {
        let area = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let cases = parse(&area, &text).with_context(|| file.display().to_string())?;
        areas.push((area, cases));
    }
    Ok(areas)
}

fn parse(area: &str, text: &str) -> Result<Vec<Case>> {
    let written: Value = serde_saphyr::from_str(text).context("it is no YAML")?;
    let Value::Array(written) = written else { bail!("it is no list of cases") };
    let mut cases: Vec<Case> = Vec::new();
    for one in written {
        let name = one["name"].as_str().unwrap_or("a case without a name").to_owned();
        let one: Written = serde_json::from_value(one).with_context(|| name.clone())?;
        if one.rows.is_empty() {
            cases.push(case(area, &one.name, &one.steps)?);
        }
        for (row, value) in &one.rows {
            let steps: Vec<Value> = one.steps.iter().map(|step| fill(step, value)).collect();
            cases.push(case(area, &format!("{}: {row}", one.name), &steps)?);
        }
    }
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
        bail!("two cases have the name {twice}");
    }
    Ok(cases)
}

fn case(area: &str, name: &str, steps: &[Value]) -> Result<Case> {
    let source = serde_json::to_string(steps)?;
    let steps: Result<Vec<Step>> = steps
        .iter()
        .map(|step| match step {
            Value::String(text) => serde_json::from_value(serde_json::json!({ "do": text })),
            other => serde_json::from_value(other.clone()),
        })
        .map(|step| step.with_context(|| name.to_owned()))
        .collect();
    let steps = steps?;
    ensure!(!steps.is_empty(), "{name} has no steps");
    Ok(Case { name: format!("{area}/{name}"), steps, source })
}

/// The step with the value of its row in place: `{row}`, or of a list `{row.0}`, `{row.1}`.
fn fill(step: &Value, row: &Value) -> Value {
    match step {
        Value::String(text) => fill_text(text, row),
        Value::Array(items) => items.iter().map(|item| fill(item, row)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), fill(value, row))).collect()
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, row: &Value) -> Value {
    let parts = row.as_array().into_iter().flatten().enumerate();
    let parts = parts.map(|(position, part)| (format!("{{row.{position}}}"), part));
    let mut filled = text.to_owned();
    for (name, value) in std::iter::once(("{row}".to_owned(), row)).chain(parts) {
        if filled == name {
            return value.clone();
        }
        if filled.contains(&name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            filled = filled.replace(&name, &value);
        }
    }
    filled.into()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn each_row_is_a_case() {
        let text = "- name: a\n  rows: {one: 1, two: z}\n  steps: ['GET /p/{row}', {do: GET /q, body: {a: '{row}'}}]";
        let cases = parse("area", text).unwrap();
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["area/a: one", "area/a: two"]);
        assert_eq!(cases[1].steps[0].parts(), ("GET", "/p/z"));
        assert_eq!(cases[0].steps[1].body, Some(serde_json::json!({"a": 1})));
    }

    #[test]
    fn a_name_stands_for_one_case() {
        assert!(parse("area", "- {name: a, steps: [GET /]}\n- {name: a, steps: [GET /]}").is_err());
    }
}
