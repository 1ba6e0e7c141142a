//! A POM as it is written: nothing inherited, nothing replaced.

use std::sync::Arc;

use roxmltree::Node;

use crate::{
    coordinates::{Exclusion, Gav},
    xml::{self, XmlError, child, listed, own_text, text_of},
};

/// What resolution reads of one POM file. Values may hold `${…}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pom {
    /// The POM that it inherits from.
    pub parent: Option<Gav>,
    /// Its own group; none if inherited.
    pub group: Option<String>,
    /// Its artifact.
    pub artifact: String,
    /// Its own version; none if inherited.
    pub version: Option<String>,
    /// What it makes: `jar` if it does not say.
    pub packaging: String,
    /// What it says for all profiles.
    pub base: Section,
    /// What it says if conditions hold.
    pub profiles: Vec<Profile>,
    /// Where it went: what is given replaces its own.
    pub relocation: Option<Relocation>,
    /// What it may be used under: one of these.
    pub licenses: Vec<License>,
}

/// A licence as a POM names it. Empty texts are not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct License {
    /// Its name, in whatever words.
    pub name: String,
    /// Where its text is.
    pub url: String,
}

/// The part of a POM that a profile can have too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// Properties in their order.
    pub properties: Vec<(String, String)>,
    /// What it says of artifacts without depending on them.
    pub managed: Vec<Arc<Dependency>>,
    /// What it depends on.
    pub dependencies: Vec<Arc<Dependency>>,
}

/// One dependency as written. Empty texts are not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependency {
    /// The group.
    pub group: String,
    /// The artifact.
    pub artifact: String,
    /// The version, or a range.
    pub version: String,
    /// Maven's `type`; empty is `jar`.
    pub kind: String,
    /// The classifier.
    pub classifier: String,
    /// The scope.
    pub scope: String,
    /// `true` if those who depend on the POM do not get this.
    pub optional: String,
    /// What is left out below it.
    pub exclusions: Vec<Exclusion>,
}

/// A profile of a POM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// When it holds.
    pub activation: Activation,
    /// What it adds.
    pub section: Section,
}

/// The conditions of a profile: all that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activation {
    /// It holds if no other profile of the POM does.
    pub by_default: bool,
    /// A prefix of the Java version, or a range, or `!` and a prefix.
    pub jdk: Option<String>,
    /// Name and value of a property; `!` turns either round.
    pub property: Option<(String, String)>,
    /// Name, family, architecture and version of the system.
    pub system: Option<[String; 4]>,
    /// A file that must be there.
    pub file_exists: Option<String>,
    /// A file that must not be there.
    pub file_missing: Option<String>,
}

/// Where an artifact went; what is not given stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relocation {
    /// The new group.
    pub group: Option<String>,
    /// The new artifact.
    pub artifact: Option<String>,
    /// The new version.
    pub version: Option<String>,
}

impl Pom {
    /// Reads a POM.
    ///
    /// # Errors
    /// If it is no XML even when taken as kindly as Maven's reader does, or no POM.
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.len() > xml::MAX_BYTES {
            return Err(XmlError::TooLarge { bytes: bytes.len() });
        }
        xml::read_without(is_unread, &xml::decode(bytes), "project", read_pom)
    }
}

impl Dependency {
    /// What management finds it by.
    pub(crate) fn key(&self) -> (&str, &str, &str, &str) {
        let kind = if self.kind.is_empty() { "jar" } else { &self.kind };
        (&self.group, &self.artifact, kind, &self.classifier)
    }

    /// Whether it stands for the managed dependencies of another POM.
    pub(crate) fn is_import(&self) -> bool {
        self.scope == "import" && self.kind == "pom"
    }
}

/// Whether nothing is read of a part of a POM or of a profile: how it is built is most of a parent's text.
fn is_unread(within: &[&str], name: &str) -> bool {
    const UNREAD: [&str; 6] =
        ["build", "reporting", "developers", "contributors", "repositories", "pluginRepositories"];
    matches!(within, ["project"] | ["project", "profiles", "profile"]) && UNREAD.contains(&name)
}

fn read_pom(root: Node<'_, '_>) -> Pom {
    let profiles = listed(root, "profiles", "profile").map(|node| Profile {
        activation: child(node, "activation").map(read_activation).unwrap_or_default(),
        section: read_section(node),
    });
    let relocation = child(root, "distributionManagement")
        .and_then(|management| child(management, "relocation"))
        .map(|node| Relocation {
            group: text_of(node, "groupId"),
            artifact: text_of(node, "artifactId"),
            version: text_of(node, "version"),
        });
    Pom {
        parent: child(root, "parent").map(|node| {
            let part = |name| text_of(node, name).unwrap_or_default();
            Gav { group: part("groupId"), artifact: part("artifactId"), version: part("version") }
        }),
        group: text_of(root, "groupId"),
        artifact: text_of(root, "artifactId").unwrap_or_default(),
        version: text_of(root, "version"),
        packaging: text_of(root, "packaging").unwrap_or_else(|| "jar".to_owned()),
        base: read_section(root),
        profiles: profiles.collect(),
        relocation,
        licenses: listed(root, "licenses", "license").map(read_license).collect(),
    }
}

fn read_license(node: Node<'_, '_>) -> License {
    let part = |name| text_of(node, name).unwrap_or_default();
    License { name: part("name"), url: part("url") }
}

fn read_section(node: Node<'_, '_>) -> Section {
    let properties = child(node, "properties").into_iter().flat_map(|list| list.children());
    let managed = child(node, "dependencyManagement");
    Section {
        properties: properties
            .filter(Node::is_element)
            .map(|one| (one.tag_name().name().to_owned(), own_text(one)))
            .collect(),
        managed: managed.map(read_dependencies).unwrap_or_default(),
        dependencies: read_dependencies(node),
    }
}

fn read_dependencies(node: Node<'_, '_>) -> Vec<Arc<Dependency>> {
    let read = listed(node, "dependencies", "dependency").map(|one| {
        let part = |name| text_of(one, name).unwrap_or_default();
        let exclusions = listed(one, "exclusions", "exclusion").map(|node| Exclusion {
            group: text_of(node, "groupId").unwrap_or_default(),
            artifact: text_of(node, "artifactId").unwrap_or_default(),
        });
        Arc::new(Dependency {
            group: part("groupId"),
            artifact: part("artifactId"),
            version: part("version"),
            kind: part("type"),
            classifier: part("classifier"),
            scope: part("scope"),
            optional: part("optional"),
            exclusions: exclusions.collect(),
        })
    });
    read.collect()
}

fn read_activation(node: Node<'_, '_>) -> Activation {
    let part = |node, name| text_of(node, name).unwrap_or_default();
    let file = child(node, "file");
    Activation {
        by_default: text_of(node, "activeByDefault").is_some_and(|text| text == "true"),
        jdk: text_of(node, "jdk"),
        property: child(node, "property").map(|node| (part(node, "name"), part(node, "value"))),
        system: child(node, "os")
            .map(|node| ["name", "family", "arch", "version"].map(|name| part(node, name))),
        file_exists: file.and_then(|node| text_of(node, "exists")),
        file_missing: file.and_then(|node| text_of(node, "missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pom_is_read_as_it_is_written() {
        let pom = Pom::parse(
            b"<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent>
              <artifactId> a </artifactId><properties><x.y>1</x.y><empty/></properties>
              <dependencies><dependency><groupId>g</groupId><artifactId>d</artifactId><optional>true</optional>
              <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
              </dependency></dependencies><build><plugins><plugin><dependencies><dependency/></dependencies>
              </plugin></plugins></build></project>",
        )
        .expect("a POM");
        assert_eq!(pom.parent, Some(Gav::new("g", "p", "1")));
        assert_eq!((pom.artifact.as_str(), pom.packaging.as_str()), ("a", "jar"));
        assert_eq!(pom.base.properties[1], ("empty".to_owned(), String::new()));
        assert_eq!(pom.base.dependencies.len(), 1, "those of plugins do not count");
        assert_eq!(pom.base.dependencies[0].exclusions[0].to_string(), "*:*");
    }

    #[test]
    fn what_is_no_pom_is_refused() {
        assert!(Pom::parse(b"<html><body>404</body></html>").is_err());
        assert!(Pom::parse(b"").is_err());
        assert!(Pom::parse(&[0xff; 100]).is_err());
    }
}
