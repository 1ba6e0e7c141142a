//! What the names of the entries alone say.

use std::collections::BTreeMap;

use crate::Relocated;

/// Whether the entry is a class that the Java of every version loads: not one of
/// `META-INF/versions/…`, and no description of a module.
pub(crate) fn is_class(name: &str) -> bool {
    has_extension(name, "class")
        && !name.starts_with("META-INF/")
        && !name.ends_with("module-info.class")
}

pub(crate) fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// Whether the name leads out of the directory that it would be unpacked to.
pub(crate) fn is_unsafe(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/')
        || has_drive
        || name.contains(['\\', '\0'])
        || name.split('/').any(|part| part == "..")
}

/// Whether the class lies in a package that others were put under.
pub(crate) fn is_relocated(name: &str) -> bool {
    shading(name).is_some()
}

/// The packages that others were put under: up to a part such as `shaded`.
pub(crate) fn relocated<'n>(classes: impl Iterator<Item = &'n str>) -> Vec<Relocated> {
    let mut packages: BTreeMap<&str, usize> = BTreeMap::new();
    for name in classes {
        if let Some(package) = shading(name) {
            *packages.entry(package).or_default() += 1;
        }
    }
    let relocated = |(package, classes): (&str, usize)| Relocated {
        package: package.replace('/', "."),
        classes,
    };
    packages.into_iter().map(relocated).collect()
}

/// The package up to the part that says that it is shaded; something must lie below.
fn shading(name: &str) -> Option<&str> {
    let package = name.rsplit_once('/')?.0;
    let mut end = 0;
    for part in package.split('/') {
        let next = end + part.len();
        let says_so =
            matches!(part, "shaded" | "shade" | "relocated" | "repackaged" | "thirdparty")
                || part.starts_with("shaded")
                || part.ends_with("_shaded");
        if says_so && next < package.len() {
            return Some(&package[..next]);
        }
        end = next + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relocated_package_is_named_up_to_where_it_was_put() {
        let classes = [
            "org/apache/flink/kafka/shaded/org/apache/kafka/A.class",
            "org/apache/flink/kafka/shaded/com/B.class",
            "org/apache/flink/shaded/guava31/C.class",
            "com/example/shaded/InIt.class",
            "com/example/D.class",
        ];
        let found = relocated(classes.into_iter());
        let found: Vec<_> = found.iter().map(|it| (it.package.as_str(), it.classes)).collect();
        assert_eq!(found, [("org.apache.flink.kafka.shaded", 2), ("org.apache.flink.shaded", 1)]);
    }

    #[test]
    fn a_name_that_leads_out_is_unsafe() {
        for name in ["../a", "a/../../b", "/etc/passwd", "C:/x", "a\\..\\b", "a\0b"] {
            assert!(is_unsafe(name), "{name:?}");
        }
        assert!(!is_unsafe("a/b..c/d.class"));
    }
}
