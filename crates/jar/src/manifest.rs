use serde::Serialize;

/// The main section of `META-INF/MANIFEST.MF`, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// `Main-Class`, which Flink runs unless a job names another.
    pub main_class: Option<String>,
    /// `program-class`, which Flink looks at first.
    pub program_class: Option<String>,
    /// `Class-Path`, which Flink does not follow.
    pub class_path: Option<String>,
    /// `Implementation-Title` or, without it, `Specification-Title`.
    pub title: Option<String>,
    /// `Implementation-Version` or, without it, `Specification-Version`.
    pub version: Option<String>,
    /// `Build-Jdk-Spec`, `Build-Jdk` or `Created-By`.
    pub built_with: Option<String>,
    /// `Bundle-License`: the licence, as those say it who also make bundles of `OSGi`.
    pub license: Option<String>,
}

impl Manifest {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = main_section(text);
        let value = |keys: &[&str]| {
            let of = |key: &&str| pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            keys.iter().find_map(of).map(|(_, value)| value.clone())
        };
        Self {
            main_class: value(&["Main-Class"]),
            program_class: value(&["program-class"]),
            class_path: value(&["Class-Path"]),
            title: value(&["Implementation-Title", "Specification-Title"]),
            version: value(&["Implementation-Version", "Specification-Version"]),
            built_with: value(&["Build-Jdk-Spec", "Build-Jdk", "Created-By"]),
            license: value(&["Bundle-License"]),
        }
    }
}

/// The pairs before the first empty line; a line that begins with a blank goes on with the one before.
fn main_section(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if let (Some(rest), Some((_, value))) = (line.strip_prefix(' '), pairs.last_mut()) {
            value.push_str(rest);
        } else if let Some((key, value)) = line.split_once(':') {
            pairs.push((key.trim().to_owned(), value.trim_start().to_owned()));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_in_the_next() {
        let text = "Manifest-Version: 1.0\r\nMain-Class: com.example.a.very.long\r\n .Name\r\n\r\nName: x\r\nMain-Class: no\r\n";
        let manifest = Manifest::parse(text);
        assert_eq!(manifest.main_class.as_deref(), Some("com.example.a.very.long.Name"));
        assert_eq!(manifest.program_class, None);
    }
}
