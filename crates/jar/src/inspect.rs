use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom},
};

use flumen_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::{
    Artifact, ClassFacts, Error, Factory, FlinkEvidence, Jar, Manifest, Service, Warning,
    archive::{Archive, Content, MOST_CLASS_BYTES},
    class_file::{self, Identifier},
    evidence, image, names, properties, services,
};

const OBJECT: &str = "java.lang.Object";
/// How far the classes above a factory are followed for its identifier.
const MOST_ABOVE: usize = 8;

/// Says what is in a jar, without running anything of it.
///
/// A main method counts if its class is not in a relocated package; several jars of libraries have some.
///
/// # Errors
/// [`Kind::Invalid`](flumen_model::Kind::Invalid) if it is no archive, cannot be read, or is beyond the limits.
pub fn inspect(reader: &mut (impl Read + Seek)) -> Result<Jar, Error> {
    let (size, digest) = measure(reader)?;
    let mut archive = Archive::open(reader)?;
    let mut warnings = Vec::new();
    let unsafe_names: Vec<String> =
        archive.names().iter().filter(|name| names::is_unsafe(name)).cloned().collect();
    if !unsafe_names.is_empty() {
        warnings.push(Warning::UnsafeNames { names: unsafe_names });
    }
    let manifest = archive.text("META-INF/MANIFEST.MF")?.unwrap_or_default();
    let manifest = Manifest::parse(&manifest);
    let classes = classes(&mut archive, &mut warnings)?;
    let maven = maven(&mut archive, &manifest)?;
    let (factories, services) = factories(&mut archive, &classes, &mut warnings)?;
    warnings.extend(main_class(&manifest, &classes));
    let artifacts = image::bundled(|entry| archive.position(entry).is_some());
    if !artifacts.is_empty() {
        warnings.push(Warning::BundledFlink { artifacts });
    }
    let minors = evidence::minors(&maven.flink);
    if minors.len() > 1 {
        warnings.push(Warning::SeveralFlinkMinors { minors });
    }
    let library = archive.text("library.properties")?;
    let library =
        library.and_then(|text| Some(properties::value(&text, "version.number")?.to_owned()));
    let is_scala_bundled = archive.position("scala/Predef.class").is_some();
    let scala =
        evidence::scala(&maven.artifacts, is_scala_bundled, library.filter(|_| is_scala_bundled));
    let entries = archive.names().iter().filter(|name| !name.ends_with('/'));
    let nested = archive.names().iter().filter(|name| names::has_extension(name, "jar"));
    let class_names = archive.names().iter().filter(|name| names::is_class(name));
    let jar = Jar {
        size,
        digest,
        entries: entries.count(),
        classes: classes.count,
        java: classes.newest.map(|major| major.saturating_sub(44)),
        manifest,
        main_classes: classes.mains(),
        flink: maven.flink,
        scala,
        artifacts: maven.artifacts,
        factories,
        services,
        relocated: names::relocated(class_names.map(String::as_str)),
        nested_jars: nested.cloned().collect(),
        warnings,
        class_facts: classes.facts,
    };
    with_duplicates(jar, archive)
}

fn with_duplicates<R: Read + Seek>(mut jar: Jar, archive: Archive<R>) -> Result<Jar, Error> {
    let names = archive.duplicates()?;
    if !names.is_empty() {
        jar.warnings.push(Warning::Duplicates { names });
    }
    Ok(jar)
}

fn measure(reader: &mut (impl Read + Seek)) -> Result<(u64, Digest), Error> {
    let failed = |source| Error::Read { source };
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut sha256 = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        sha256.update(&buffer[..count]);
        size += count as u64;
    }
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok((size, Digest::from_sha256(&sha256.finalize().into())))
}

/// What the classes say.
#[derive(Default)]
struct Classes {
    count: usize,
    newest: Option<u16>,
    /// Classes with a main method, with dots.
    with_main: Vec<String>,
    /// What classes return as the identifier of a factory, those that do, by their names with dots.
    identifiers: BTreeMap<String, Identifier>,
    /// What is kept of each class, by its name with dots.
    facts: BTreeMap<String, ClassFacts>,
}

impl Classes {
    fn mains(&self) -> Vec<String> {
        let relocated = |class: &&String| !names::is_relocated(&class.replace('.', "/"));
        let mut mains: Vec<String> = self.with_main.iter().filter(relocated).cloned().collect();
        mains.sort_unstable();
        mains
    }

    /// The identifier of a factory, from its class or one above that the jar holds.
    fn identifier(&self, class: &str) -> Option<String> {
        let mut class = class.to_owned();
        for _ in 0..MOST_ABOVE {
            match self.identifiers.get(&class) {
                Some(Identifier::Constant(identifier)) => return Some(identifier.clone()),
                Some(Identifier::Computed) => return None,
                Some(Identifier::None) | None => {
                    class = self.facts.get(&class)?.above.clone()?;
                }
            }
        }
        None
    }
}

fn classes<R: Read + Seek>(
    archive: &mut Archive<R>,
    warnings: &mut Vec<Warning>,
) -> Result<Classes, Error> {
    let mut classes = Classes::default();
    let mut unreadable = Vec::new();
    for index in 0..archive.names().len() {
        if !names::is_class(&archive.names()[index]) {
            continue;
        }
        classes.count += 1;
        let class = match archive.read(index, MOST_CLASS_BYTES)? {
            Content::Bytes { bytes, checksum } => {
                class_file::parse(&bytes).map(|class| (class, checksum))
            }
            Content::TooLarge | Content::Unreadable => None,
        };
        let Some((class, checksum)) = class else {
            unreadable.push(archive.names()[index].clone());
            continue;
        };
        classes.newest = classes.newest.max(Some(class.major));
        let name = class.name.replace('/', ".");
        if class.has_main {
            classes.with_main.push(name.clone());
        }
        let dotted = |name: String| name.replace('/', ".");
        if class.identifier != Identifier::None {
            classes.identifiers.insert(name.clone(), class.identifier);
        }
        let facts = ClassFacts {
            checksum,
            has_main: class.has_main,
            above: class.above.map(dotted).filter(|above| above != OBJECT),
            operators: class.operators,
            interfaces: class.interfaces.into_iter().map(dotted).collect(),
        };
        classes.facts.insert(name, facts);
    }
    if !unreadable.is_empty() {
        warnings.push(Warning::Unreadable { names: unreadable });
    }
    Ok(classes)
}

/// What `META-INF/maven` says, and the manifest of one of Flink's own jars.
#[derive(Default)]
struct Maven {
    artifacts: Vec<Artifact>,
    flink: Vec<FlinkEvidence>,
}

fn maven<R: Read + Seek>(archive: &mut Archive<R>, manifest: &Manifest) -> Result<Maven, Error> {
    let mut maven = Maven::default();
    maven.flink.extend(evidence::of_manifest(manifest));
    let entries: Vec<String> = archive
        .names()
        .iter()
        .filter(|name| name.starts_with("META-INF/maven/"))
        .cloned()
        .collect();
    for entry in entries {
        if entry.ends_with("/pom.properties") {
            let text = archive.text(&entry)?.unwrap_or_default();
            maven.artifacts.extend(properties::artifact(&text));
        } else if entry.ends_with("/pom.xml") {
            let text = archive.text(&entry)?.unwrap_or_default();
            let version = properties::flink_version(&text);
            maven.flink.extend(version.and_then(|version| evidence::of_pom(&entry, version)));
        }
    }
    maven.artifacts.sort_unstable();
    maven.artifacts.dedup();
    maven.flink.extend(maven.artifacts.iter().filter_map(evidence::of_artifact));
    maven.flink.sort_unstable();
    maven.flink.dedup();
    Ok(maven)
}

fn factories<R: Read + Seek>(
    archive: &mut Archive<R>,
    classes: &Classes,
    warnings: &mut Vec<Warning>,
) -> Result<(Vec<Factory>, Vec<Service>), Error> {
    let (mut factories, mut others) = (Vec::new(), Vec::new());
    let mut entries: Vec<String> =
        archive.names().iter().filter(|name| services::name_of(name).is_some()).cloned().collect();
    entries.sort_unstable();
    for entry in entries {
        let name = services::name_of(&entry).unwrap_or_default();
        let service = services::parse(name, &archive.text(&entry)?.unwrap_or_default());
        if !services::lists_factories(&service) {
            others.push(service);
            continue;
        }
        for class in service.providers {
            if !classes.facts.contains_key(&class) {
                let (service, class) = (service.name.clone(), class.clone());
                warnings.push(Warning::NoProvider { service, class });
            }
            let identifier = classes.identifier(&class);
            factories.push(Factory { class, identifier, service: service.name.clone() });
        }
    }
    Ok((factories, others))
}

/// What is wrong with the main class that Flink would take.
fn main_class(manifest: &Manifest, classes: &Classes) -> Option<Warning> {
    let class = manifest.program_class.as_ref().or(manifest.main_class.as_ref())?.clone();
    if !classes.facts.contains_key(&class) {
        return Some(Warning::NoMainClass { class });
    }
    (!classes.with_main.contains(&class)).then_some(Warning::NoMainMethod { class })
}
