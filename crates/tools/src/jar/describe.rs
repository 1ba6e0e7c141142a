use flumen_jar::{Factory, Jar, Scala};

use crate::rows::Rows;

/// A jar for people: a name and its values, one a line.
pub(super) fn text(jar: &Jar) -> String {
    let mut rows = Rows::default();
    let mut row = |name: &str, values: &[String]| rows.add(name, values);
    row("size", &[format!("{} bytes", jar.size)]);
    row("sha256", &[jar.digest.hex().to_owned()]);
    row("entries", &[format!("{}, {} of them classes", jar.entries, jar.classes)]);
    row("java", &one(jar.java.map(|java| format!("{java} or newer"))));
    row("built with", &one(jar.manifest.built_with.clone()));
    let title = jar.manifest.title.as_ref();
    let version = jar.manifest.version.as_deref().unwrap_or_default();
    row("title", &one(title.map(|title| format!("{title} {version}").trim_end().to_owned())));
    let main = jar.manifest.program_class.as_ref().or(jar.manifest.main_class.as_ref());
    row("main class", &[main.map_or("none in the manifest", String::as_str).to_owned()]);
    row("licence", &one(jar.manifest.license.clone()));
    row("main methods", &jar.main_classes);
    let evidence = jar.flink.iter().map(|it| format!("{} ({})", it.version, it.source));
    row("flink", &or_unknown(evidence.collect()));
    row("scala", &one(scala(&jar.scala)));
    row("factories", &jar.factories.iter().map(factory).collect::<Vec<_>>());
    let services =
        jar.services.iter().map(|it| format!("{}: {}", it.name, it.providers.join(", ")));
    row("services", &services.collect::<Vec<_>>());
    let relocated =
        jar.relocated.iter().map(|it| format!("{} ({} classes)", it.package, it.classes));
    row("relocated", &relocated.collect::<Vec<_>>());
    row("nested jars", &jar.nested_jars);
    let artifacts = jar.artifacts.iter();
    let artifacts = artifacts.map(|it| format!("{}:{}:{}", it.group, it.artifact, it.version));
    row("made of", &artifacts.collect::<Vec<_>>());
    rows.into_text()
}

fn one(value: Option<String>) -> Vec<String> {
    value.into_iter().collect()
}

fn or_unknown(values: Vec<String>) -> Vec<String> {
    if values.is_empty() { vec!["unknown: nothing in the jar names it".to_owned()] } else { values }
}

fn scala(scala: &Scala) -> Option<String> {
    let suffixes = scala.suffixes.join(", ");
    match (scala.is_bundled, &scala.version) {
        (false, _) => (!suffixes.is_empty()).then_some(suffixes),
        (true, None) => Some(format!("{suffixes} (the library lies in the jar)").trim().to_owned()),
        (true, Some(version)) => {
            Some(format!("{suffixes} (the library {version} lies in the jar)").trim().to_owned())
        }
    }
}

fn factory(factory: &Factory) -> String {
    let identifier = factory.identifier.as_deref().unwrap_or("unknown");
    format!("{identifier} ({})", factory.class)
}
