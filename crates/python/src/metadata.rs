//! What a wheel says that it needs.

use std::{borrow::Cow, fs::File, io::Read as _, path::Path, str::FromStr as _};

use pep508_rs::Requirement;

use crate::{Error, requirements::one_line, tags::WheelName};

/// The largest metadata that are read, in bytes.
pub(crate) const MAX_METADATA: u64 = 4 << 20;

/// What a wheel needs, or why that is not known.
pub(crate) type Requires = Result<Vec<Requirement>, String>;

/// Reads the headers of metadata.
pub(crate) fn parse(text: &str) -> Requires {
    let mut requires = Vec::new();
    let mut headers: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            break;
        }
        match headers.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => headers.push(line.to_owned()),
        }
    }
    for header in &headers {
        let Some((name, value)) = header.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("Requires-Dist") {
            let value = value.trim();
            let requirement = Requirement::from_str(value);
            requires.push(requirement.map_err(|_| {
                format!(
                    "its metadata have a requirement that cannot be read: {:?}",
                    one_line(value)
                )
            })?);
        }
    }
    Ok(requires)
}

/// The metadata in a wheel.
pub(crate) fn of_wheel(path: &Path, name: &str) -> Result<String, Error> {
    let refuse = Error::archive(name);
    let wheel =
        WheelName::parse(name).ok_or_else(|| refuse("it has no name of a wheel".to_owned()))?;
    let file = File::open(path).map_err(Error::file(path))?;
    let mut archive =
        zip::ZipArchive::new(file).map_err(|error| refuse(format!("it is no wheel: {error}")))?;
    let is_it = |entry: &str| {
        entry.strip_suffix(".dist-info/METADATA").is_some_and(|stem| {
            let project = stem.split_once('-').map_or(stem, |(project, _)| project);
            let project = pep508_rs::PackageName::new(project.to_owned());
            project.is_ok_and(|project| project == wheel.project)
        })
    };
    let entry = archive.file_names().flatten().find(|entry| is_it(entry)).map(Cow::into_owned);
    let entry =
        entry.ok_or_else(|| refuse("it has no .dist-info/METADATA of its own".to_owned()))?;
    let entry = archive.by_name(&entry).map_err(|error| refuse(error.to_string()))?;
    let mut text = Vec::new();
    entry
        .take(MAX_METADATA)
        .read_to_end(&mut text)
        .map_err(|error| refuse(format!("its metadata cannot be read: {error}")))?;
    String::from_utf8(text).map_err(|_| refuse("its metadata are not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_where_the_description_begins() {
        let text = "Metadata-Version: 2.1\nName: a\nRequires-Dist: b (>=1.0,\n  <2)\nrequires-dist: c; extra == 'x'\n\nRequires-Dist: d\n";
        let requires = parse(text).expect("valid");
        let names: Vec<_> = requires.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b>=1.0,<2", "c ; extra == 'x'"]);
        assert!(parse("Requires-Dist: b >=> 1\n").is_err());
        assert!(parse("").expect("nothing").is_empty());
    }
}
