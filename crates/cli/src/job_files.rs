//! Job files: from paths on the command line to checked jobs.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use flumen_model::{JobKind, JobSpec, VariableAssignment};

use crate::Error;

/// A job and the folder that its paths start from.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) spec: JobSpec,
    pub(crate) folder: PathBuf,
}

/// Reads the jobs of all files, so that nothing is sent when one of them is wrong. `-` is standard
/// input.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Defined>, Error> {
    let mut defined = Vec::new();
    for file in files {
        let (name, text, folder) = load(file)?;
        let jobs =
            flumen_job_file::parse(&name, &text).map_err(|source| Error::JobFile { source })?;
        defined.extend(jobs.into_iter().map(|spec| Defined { spec, folder: folder.clone() }));
    }
    Ok(defined)
}

/// Gives variables of SQL scripts these values, whatever the files say.
pub(crate) fn set_variables(
    defined: &mut [Defined],
    variables: &[VariableAssignment],
) -> Result<(), Error> {
    let mut scripts = defined.iter_mut().filter(|one| one.spec.kind == JobKind::Sql).peekable();
    if let (Some(first), None) = (variables.first(), scripts.peek()) {
        return Err(Error::NoScript { variable: first.name.to_string() });
    }
    for script in scripts {
        let values = variables.iter().map(|one| (one.name.clone(), one.value.clone()));
        script.spec.variables.extend(values);
    }
    Ok(())
}

fn load(file: &Path) -> Result<(String, String, PathBuf), Error> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|source| Error::ReadJobFile { file: "standard input".into(), source })?;
        return Ok(("standard input".to_owned(), text, PathBuf::from(".")));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|source| Error::ReadJobFile { file: file.to_owned(), source })?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    Ok((file.display().to_string(), text, folder))
}
