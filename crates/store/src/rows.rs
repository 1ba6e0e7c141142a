//! The seam between columns (`BIGINT`, `TEXT`) and values.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, sqlite::SqliteRow};

use crate::Error;

/// Reads the columns of one row of one table.
pub(crate) struct Columns<'r> {
    row: &'r SqliteRow,
    what: &'static str,
}

impl<'r> Columns<'r> {
    pub(crate) const fn of(row: &'r SqliteRow, what: &'static str) -> Self {
        Self { row, what }
    }

    fn get<'c, T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
        &self,
        column: &'c str,
    ) -> Result<T, Error> {
        self.row.try_get(column).map_err(|source| Error::Columns { what: self.what, source })
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, Error> {
        self.get(column)
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.get(column)
    }

    pub(crate) fn number(&self, column: &str) -> Result<i64, Error> {
        self.get(column)
    }

    pub(crate) fn optional_number(&self, column: &str) -> Result<Option<i64>, Error> {
        self.get(column)
    }

    /// A word that a unit variant is stored as.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        let text = self.text(column)?;
        serde_json::from_value(text.clone().into()).map_err(|_| self.corrupt(&text))
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp, Error> {
        to_time(self.what, self.number(column)?)
    }

    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, Error> {
        self.get::<Option<i64>>(column)?.map(|ms| to_time(self.what, ms)).transpose()
    }

    pub(crate) fn parsed<T: FromStr>(&self, column: &str) -> Result<T, Error> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.corrupt(&text))
    }

    pub(crate) fn optional_parsed<T: FromStr>(&self, column: &str) -> Result<Option<T>, Error> {
        let text = self.optional_text(column)?;
        text.map(|text| text.parse().map_err(|_| self.corrupt(&text))).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|_| self.corrupt(&text))
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, Error> {
        let text = self.optional_text(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.corrupt(&text))).transpose()
    }

    pub(crate) fn corrupt(&self, value: &str) -> Error {
        Error::Corrupt { what: self.what, value: value.chars().take(60).collect() }
    }
}

/// Reads each row that a query found.
pub(crate) fn read_all<T>(
    found: &[SqliteRow],
    what: &'static str,
    read: impl Fn(&Columns<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    found.iter().map(|row| read(&Columns::of(row, what))).collect()
}

fn to_time(what: &'static str, milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| Error::Corrupt { what, value: milliseconds.to_string() })
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types have text keys and no failing serializer")
}

/// The word that a unit variant is stored as.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}
