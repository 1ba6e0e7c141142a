use anyhow::Result;
use flumen_cli::{Cell, GlobalArguments, Printer, Table, Tone};
use serde_json::json;

use crate::{
    arguments::{FileArguments, Flags, Up},
    command::variable,
    settings::{Origin, Resolved, Sources},
};

/// Resolves the settings of a command of this machine.
pub(crate) fn resolve(
    flags: Flags,
    file: &FileArguments,
    global: &GlobalArguments,
) -> Result<Resolved> {
    sources(flags, file, global).resolve()
}

/// Settles where the data directory is, by the same rule for a client as for the server.
pub(crate) fn locate(global: &mut GlobalArguments) -> Result<()> {
    let directory =
        sources(Flags::new(), &FileArguments::default(), global).resolve_data_directory()?;
    global.data_directory = directory;
    Ok(())
}

fn sources<'a>(flags: Flags, file: &'a FileArguments, global: &'a GlobalArguments) -> Sources<'a> {
    Sources {
        flags,
        file: file.config.as_deref(),
        data_directory: global.data_directory.as_deref(),
        variables: &variable,
    }
}

/// Prints each setting with its value and where that comes from.
pub(crate) fn show(arguments: &Up, global: &GlobalArguments, printer: &Printer) -> Result<()> {
    let resolved = resolve(arguments.flags(), &arguments.file, global)?;
    if printer.is_json() {
        let values = resolved.values.iter();
        let items: Vec<_> = values
            .map(|(key, value, origin)| json!({"key": key, "value": value, "origin": origin.to_string()}))
            .collect();
        return Ok(printer.json(&json!({ "items": items }))?);
    }
    let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
    for (key, value, origin) in resolved.values {
        let tone = if origin == Origin::Default { Tone::Quiet } else { Tone::Plain };
        let value = value.map_or_else(|| Cell::new("not set", Tone::Quiet), Cell::from);
        table.row(vec![key.into(), value, Cell::new(origin.to_string(), tone)]);
    }
    Ok(printer.table(&table)?)
}
