use flumen_model::FlinkMinor;

use crate::{
    Configuration, ConfigurationFormat, Error, Value,
    yaml::{Fault, Placed, PlacedNode, Scalar, load_document, render_flow},
};

pub(super) fn parse(text: &str, minor: FlinkMinor) -> Result<Configuration, Error> {
    let mut configuration = Configuration::with_format(minor, ConfigurationFormat::Standard);
    let failed = |fault: Fault| Error::ParseDocument {
        file: ConfigurationFormat::Standard.file_name(),
        line: fault.line,
        column: fault.column,
        problem: fault.problem,
    };
    let Some(root) = load_document(text).map_err(failed)? else {
        return Ok(configuration);
    };
    match &root.node {
        PlacedNode::Scalar(Scalar::Null) => {}
        PlacedNode::Mapping(entries) => flatten(&mut configuration, "", entries).map_err(failed)?,
        _ => return Err(failed(root.fault("the document must be a mapping of keys to values"))),
    }
    Ok(configuration)
}

/// Nested mappings become keys joined with dots; a list becomes one text in YAML's flow form.
fn flatten(
    configuration: &mut Configuration,
    prefix: &str,
    entries: &[(Placed, Placed)],
) -> Result<(), Fault> {
    for (key, value) in entries {
        let key = format!("{prefix}{}", key_text(key)?);
        match &value.node {
            PlacedNode::Mapping(below) => flatten(configuration, &format!("{key}."), below)?,
            PlacedNode::Sequence(_) => configuration.set_text(&key, render_flow(&value.to_node())),
            PlacedNode::Scalar(scalar) => {
                let typed = typed(scalar).ok_or_else(|| {
                    value.fault(format!(
                        "the key {key} has no value: write one, '' for an empty text"
                    ))
                })?;
                configuration.set(&key, typed);
            }
        }
    }
    Ok(())
}

fn key_text(key: &Placed) -> Result<&str, Fault> {
    match &key.node {
        PlacedNode::Scalar(Scalar::Text(text)) => Ok(text),
        PlacedNode::Scalar(Scalar::Null) => Ok("null"),
        _ => Err(key.fault("a key must be a text: put it in quotes")),
    }
}

fn typed(scalar: &Scalar) -> Option<Value> {
    Some(match scalar {
        Scalar::Null => return None,
        Scalar::Boolean(flag) => Value::Boolean(*flag),
        Scalar::Integer(number) => Value::Integer(*number),
        Scalar::Double(number) => Value::Double(*number),
        Scalar::Big(text) | Scalar::Text(text) => Value::Text(text.clone()),
    })
}
