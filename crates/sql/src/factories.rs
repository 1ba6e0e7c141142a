//! What brings connectors, formats and catalogs to Flink: `data/factories.tsv`.

use flumen_model::{FlinkMinor, FlinkVersion};

use crate::text::nearest;

/// What a factory makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactoryKind {
    /// Tables of some outside system.
    Connector,
    /// How rows are written in bytes.
    Format,
    /// A catalog.
    Catalog,
}

/// Where a factory is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Flink brings it.
    Flink,
    /// A jar in Maven brings it.
    Maven {
        /// `group:artifact:version`, or `group:artifact` where the release for the minor is not known.
        coordinates: String,
    },
    /// It is known, but for other minors only.
    OtherMinors {
        /// The newest minor for which a release is known.
        newest: FlinkMinor,
    },
    /// Nobody here knows it.
    Unknown {
        /// An identifier that is much like it.
        suggestion: Option<&'static str>,
    },
}

impl FactoryKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Connector, Self::Format, Self::Catalog];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connector => "connector",
            Self::Format => "format",
            Self::Catalog => "catalog",
        }
    }
}

const TABLE: &str = include_str!("../data/factories.tsv");

struct Row {
    identifier: &'static str,
    first: FlinkMinor,
    last: FlinkMinor,
    jar: &'static str,
}

fn rows(kind: FactoryKind) -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(move |line| {
        let mut fields = line.split('\t');
        let (word, identifier) = (fields.next()?, fields.next()?);
        let minors = fields.next()?;
        let (first, last) = minors.split_once('-').unwrap_or((minors, minors));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let row = || Some(Row { identifier, first, last, jar: fields.next()? });
        (word == kind.word()).then(row).flatten()
    })
}

/// Where Flink of this version gets the factory with this identifier.
pub fn origin(kind: FactoryKind, identifier: &str, version: FlinkVersion) -> Origin {
    let minor = version.minor();
    let known = || rows(kind).filter(|row| row.identifier == identifier);
    if let Some(row) = known().find(|row| row.first <= minor && minor <= row.last) {
        if row.jar == "-" {
            return Origin::Flink;
        }
        let coordinates = row.jar.replace("{flink}", &version.to_string());
        return Origin::Maven { coordinates: coordinates.replace("{minor}", &minor.to_string()) };
    }
    match known().map(|row| row.last).max() {
        Some(newest) => Origin::OtherMinors { newest },
        None => Origin::Unknown {
            suggestion: nearest(identifier, rows(kind).map(|row| row.identifier)),
        },
    }
}

/// The Scala of the releases in the table.
const KNOWN_SCALA: &str = "_2.12:";

/// The same release for another Scala, where it is for one.
pub fn with_scala(coordinates: &str, scala: &str) -> String {
    coordinates.replace(KNOWN_SCALA, &format!("_{scala}:"))
}

/// The group of the connectors of Flink itself.
const GROUP: &str = "org.apache.flink";

/// The release of one of Flink's own connectors or formats for this version as `group:artifact:version`, if it is known.
/// The name may end with a Scala version, and one with `-sql-` in it is released with the one without.
pub fn release(group: &str, artifact: &str, version: FlinkVersion) -> Option<String> {
    if group != GROUP {
        return None;
    }
    let plain = plain(artifact);
    FactoryKind::ALL.into_iter().flat_map(rows).find_map(|row| {
        let is_for = row.first <= version.minor() && version.minor() <= row.last;
        let [_, known, release] = row.jar.split(':').collect::<Vec<_>>()[..] else { return None };
        if !is_for || self::plain(known) != plain {
            return None;
        }
        let scala = known.rsplit_once('_').map_or(String::new(), |(_, scala)| format!("_{scala}"));
        let name = artifact.split('_').next().unwrap_or(artifact);
        let release = release.replace("{flink}", &version.to_string());
        Some(format!("{GROUP}:{name}{scala}:{release}"))
    })
}

/// The name without Scala, and as it is for programs.
fn plain(artifact: &str) -> String {
    artifact.split('_').next().unwrap_or(artifact).replacen("-sql-", "-", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: FactoryKind, identifier: &str, version: &str) -> Origin {
        origin(kind, identifier, version.parse().expect("a version"))
    }

    fn maven(coordinates: &str) -> Origin {
        Origin::Maven { coordinates: coordinates.to_owned() }
    }

    #[test]
    fn every_line_is_read() {
        let read: usize = FactoryKind::ALL.into_iter().map(|kind| rows(kind).count()).sum();
        assert_eq!(read, TABLE.lines().count());
    }

    #[test]
    fn a_factory_has_one_line_for_each_minor() {
        for kind in FactoryKind::ALL {
            for row in rows(kind) {
                assert!(
                    row.first <= row.last && row.first.is_supported() && row.last.is_supported()
                );
                let others = rows(kind).filter(|other| other.identifier == row.identifier);
                let overlapping = others.filter(|o| o.first <= row.last && row.first <= o.last);
                assert_eq!(overlapping.count(), 1, "{} {}", row.identifier, row.first);
            }
        }
    }

    #[test]
    fn the_release_of_a_connector_for_another_version_is_found_by_its_name() {
        let of =
            |artifact, version: &str| release(GROUP, artifact, version.parse().expect("a version"));
        let kafka = |name, release| Some(format!("{GROUP}:flink-{name}:{release}"));
        assert_eq!(
            of("flink-sql-connector-kafka", "1.20.5"),
            kafka("sql-connector-kafka", "3.4.0-1.20")
        );
        assert_eq!(of("flink-connector-kafka", "1.20.5"), kafka("connector-kafka", "3.4.0-1.20"));
        assert_eq!(of("flink-connector-kafka", "1.14.6"), kafka("connector-kafka_2.12", "1.14.6"));
        assert_eq!(of("flink-connector-kafka_2.11", "1.15.4"), kafka("connector-kafka", "1.15.4"));
        assert_eq!(of("flink-connector-kafka", "2.3.0"), None, "there is none yet");
        assert_eq!(of("flink-connector-none", "1.20.5"), None);
        let version = "1.20.5".parse().expect("a version");
        assert_eq!(release("com.example", "flink-connector-kafka", version), None);
    }

    #[test]
    fn the_jar_follows_the_version() {
        use FactoryKind::{Connector, Format};
        assert_eq!(of(Connector, "print", "2.3.0"), Origin::Flink);
        assert_eq!(
            of(Connector, "kafka", "1.20.5"),
            maven("org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20")
        );
        assert_eq!(
            of(Connector, "kafka", "1.14.6"),
            maven("org.apache.flink:flink-sql-connector-kafka_2.12:1.14.6")
        );
        assert_eq!(of(Format, "avro", "2.1.3"), maven("org.apache.flink:flink-sql-avro:2.1.3"));
        assert_eq!(of(Connector, "paimon", "1.18.1"), maven("org.apache.paimon:paimon-flink-1.18"));
        let newest = FlinkMinor::new(2, 2);
        assert_eq!(of(Connector, "kafka", "2.3.0"), Origin::OtherMinors { newest });
        let suggestion = Some("kafka");
        assert_eq!(of(Connector, "kafak", "2.3.0"), Origin::Unknown { suggestion });
        let suggestion = None;
        assert_eq!(of(Connector, "our-own", "2.3.0"), Origin::Unknown { suggestion });
    }
}
