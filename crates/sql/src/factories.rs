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
