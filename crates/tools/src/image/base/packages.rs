//! Packages of Python for a base image: resolved as those of a release are, for the Python that the image says it has.

use std::path::Path;

use flumen_image::Image;
use flumen_model::{ArtifactRole, BASE_PACKAGES, ImagePython, PYTHON_LABEL};
use flumen_python::{Client, PUBLIC_INDEX, Wanted, Wheel, parse_requirements};
use flumen_release_policy::Licence;

use super::{Base, Group, Jar, Packages};
use crate::{Error, Streams, image::session::Session, offline::load};

/// The largest wheel, in bytes.
const MAX_WHEEL: u64 = 2 << 30;
const INDEX_VARIABLE: &str = "FLUMEN_PYTHON_INDEX";
const PATH: &str = "PYTHONPATH";

/// Packages that were fetched.
pub(in crate::image) struct Python {
    pub(in crate::image) group: Group,
    /// What the image has with them.
    has: ImagePython,
    /// Where Python looks in the image that it stands on.
    path: Option<String>,
}

impl Python {
    /// What the image says of its Python, for whoever puts packages on top of it.
    pub(in crate::image) fn label(&self) -> (String, String) {
        (PYTHON_LABEL.to_owned(), self.has.label())
    }

    /// Where Python looks for packages in the image.
    pub(in crate::image) fn variable(&self) -> (String, String) {
        let path = match &self.path {
            Some(path) if path.split(':').any(|one| one == BASE_PACKAGES) => path.clone(),
            Some(path) => format!("{BASE_PACKAGES}:{path}"),
            None => BASE_PACKAGES.to_owned(),
        };
        (PATH.to_owned(), path)
    }
}

/// Resolves and fetches the packages of the file `name` into `directory`; none if it asks for none.
pub(in crate::image) fn fetch(
    name: &str,
    base: &Base,
    (below, directory): (&Image, &Path),
    session: &Session,
    streams: &mut Streams<'_>,
) -> Result<Option<Python>, Error> {
    let Some(packages) = &base.python else { return Ok(None) };
    let mut python = python_of(name, base, packages, below)?;
    let wanted = wanted(packages)?;
    let given = (streams.variable)(INDEX_VARIABLE).filter(|index| !index.is_empty());
    let index = given.unwrap_or_else(|| PUBLIC_INDEX.to_owned());
    let index =
        index.parse().map_err(|_| Error::PythonIndex { variable: INDEX_VARIABLE, index })?;
    let client = Client::new(index, directory.to_owned(), MAX_WHEEL)?;
    let resolving = client.resolve(&wanted, &python);
    let resolution = session.run(|| "resolving packages".to_owned(), resolving, streams)?;
    for warning in &resolution.warnings {
        streams.note(&format!("warning: {warning}"))?;
    }
    let mut wheels = Vec::new();
    for wheel in &resolution.wheels {
        let line = || format!("fetching {}", wheel.name());
        let (part, _) = session.run(line, client.fetch(wheel), streams)?;
        let source = directory.join(wheel.name());
        part.persist(&source).map_err(|failure| Error::WriteFile {
            file: source.display().to_string(),
            source: failure.error,
        })?;
        let name = wheel.name().to_owned();
        wheels.push(Jar { name, source, maven: None, licence: Licence::default() });
        python.packages.extend(package(wheel));
    }
    wheels.sort_by(|one, other| one.name.cmp(&other.name));
    let environment = below.config.config().as_ref().and_then(|config| config.env().as_deref());
    let variables = environment.unwrap_or_default().iter();
    let path = variables.filter_map(|one| one.strip_prefix(PATH)?.strip_prefix('=')).next_back();
    let group = Group {
        name: "python".to_owned(),
        role: ArtifactRole::Wheel,
        directory: BASE_PACKAGES.to_owned(),
        jars: wheels,
    };
    Ok(Some(Python { group, has: python, path: path.map(ToOwned::to_owned) }))
}

/// Project and version.
fn package(wheel: &Wheel) -> Option<(String, String)> {
    let package = wheel.package();
    let (project, version) = package.split_once(' ')?;
    Some((project.to_owned(), version.to_owned()))
}

/// The Python of the image below.
fn python_of(
    name: &str,
    base: &Base,
    packages: &Packages,
    below: &Image,
) -> Result<ImagePython, Error> {
    let wrong = |key: &str, problem: String| Error::BaseValue {
        file: name.to_owned(),
        key: key.to_owned(),
        problem,
    };
    let label = below.config.labels_of_config().and_then(|labels| labels.get(PYTHON_LABEL));
    match (label, &packages.interpreter) {
        (Some(_), Some(_)) => Err(wrong(
            "python.interpreter",
            format!("the image {} says itself which Python it has; leave it out", base.parent),
        )),
        (Some(label), None) => serde_json::from_str(label).map_err(|error| {
            let image = &base.parent;
            wrong("base", format!("the label {PYTHON_LABEL} of {image} cannot be read: {error}"))
        }),
        (None, Some(interpreter)) => Ok(interpreter.clone()),
        (None, None) => Err(wrong(
            "python",
            format!(
                "the image {} does not say that it has a Python (the label {PYTHON_LABEL}, which `flumen version add --pyflink` and `flumen image build` set); if it has one, say under python.interpreter which",
                base.parent
            ),
        )),
    }
}

fn wanted(packages: &Packages) -> Result<Vec<Wanted>, Error> {
    let listed = packages.requirements.join("\n");
    let mut wanted = parse_requirements("python.requirements", &listed)?;
    if let Some(file) = &packages.requirements_file {
        let (name, text) = load(file)?;
        wanted.extend(parse_requirements(&name, &text)?);
    }
    Ok(wanted)
}

/// Puts the content of wheels into a directory, as Python looks for it.
pub(in crate::image) fn unpack(group: &Group, directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory)
        .map_err(|source| Error::WriteFile { file: directory.display().to_string(), source })?;
    for wheel in &group.jars {
        flumen_python::unpack(&wheel.source, &wheel.name, directory)?;
    }
    Ok(())
}
