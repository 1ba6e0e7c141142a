//! Figures taken several times, and the tables that show them.

use std::{fmt, time::Duration};

/// A figure that was taken several times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<f64>);

/// What a figure is counted in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Milliseconds,
    Mebibytes,
    Bytes,
    Percent,
    PerSecond,
}

impl Series {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    pub(crate) fn of(value: f64) -> Self {
        Self(vec![value])
    }

    /// Adds a figure that is no time.
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => sorted[length / 2],
            length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
        }
    }

    fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn greatest(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn show(&self, unit: Unit) -> String {
        // A figure that is to be compared to the last byte.
        let number = if matches!(unit, Unit::Bytes) { whole } else { number };
        let median = number(self.median());
        let unit = match unit {
            Unit::Milliseconds => " ms",
            Unit::Mebibytes => " MiB",
            Unit::Bytes => " bytes",
            Unit::Percent => " %",
            Unit::PerSecond => " /s",
        };
        if self.0.len() < 2 {
            return format!("{median}{unit}");
        }
        format!("{median}{unit} ({} to {})", number(self.least()), number(self.greatest()))
    }
}

/// Three significant digits are as many as such figures have.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// A table of figures with their goals.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    rows: Vec<[String; 5]>,
}

impl Table {
    pub(crate) fn new(title: &str) -> Self {
        Self::beside(title, "Flink's client")
    }

    /// Beside another peer than Flink's client.
    pub(crate) fn beside(title: &str, peer: &str) -> Self {
        let heading = ["", "Flumen", peer, "ratio", "goal"].map(str::to_owned);
        Self { title: title.to_owned(), rows: vec![heading] }
    }

    /// As [`Table::beside`]; without a peer that is not installed, which is said.
    pub(crate) fn beside_installed(title: &str, peer: &str, is_installed: bool) -> Self {
        if is_installed {
            return Self::beside(title, peer);
        }
        let title = format!("{title}\n  Without figures of {peer}: not installed.");
        Self { title, rows: vec![["", "Flumen", "", "", "goal"].map(str::to_owned)] }
    }

    /// A figure of Flumen alone.
    pub(crate) fn alone(&mut self, what: &str, unit: Unit, figure: &Series, goal: &str) {
        let shown = figure.show(unit);
        self.rows.push([what.to_owned(), shown, String::new(), String::new(), goal.to_owned()]);
    }

    /// How many times less than the peer.
    pub(crate) fn less(&mut self, what: &str, flumen: &Series, peer: &Series, goal: &str) {
        self.less_of(what, Unit::Milliseconds, (flumen, peer), goal);
    }

    /// As [`Table::less`], of what is no time.
    pub(crate) fn less_of(
        &mut self,
        what: &str,
        unit: Unit,
        (flumen, peer): (&Series, &Series),
        goal: &str,
    ) {
        let ratio = format!("1 : {}", number(peer.median() / flumen.median()));
        self.pair(what, unit, (flumen, peer), ratio, goal);
    }

    /// How many times the peer's figure.
    pub(crate) fn times(&mut self, what: &str, flumen: &Series, peer: &Series, goal: &str) {
        self.times_of(what, Unit::Milliseconds, (flumen, peer), goal);
    }

    /// As [`Table::times`], of what is no time.
    pub(crate) fn times_of(
        &mut self,
        what: &str,
        unit: Unit,
        (flumen, peer): (&Series, &Series),
        goal: &str,
    ) {
        let ratio = format!("{} ×", number(flumen.median() / peer.median()));
        self.pair(what, unit, (flumen, peer), ratio, goal);
    }

    fn pair(
        &mut self,
        what: &str,
        unit: Unit,
        (flumen, peer): (&Series, &Series),
        ratio: String,
        goal: &str,
    ) {
        if peer.is_empty() {
            return self.alone(what, unit, flumen, goal);
        }
        let row = [what.to_owned(), flumen.show(unit), peer.show(unit), ratio, goal.to_owned()];
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        writeln!(out, "{}", self.title)?;
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
                let gap = width - cell.chars().count() + 2;
                line.push_str("  ");
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', gap));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert!((Series(vec![4.0, 1.0, 2.0, 3.0]).median() - 2.5).abs() < f64::EPSILON);
        assert!((Series(vec![9.0, 1.0, 2.0]).median() - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn ratios_are_peer_to_flumen_where_less_is_meant_and_flumen_to_peer_otherwise() {
        let mut table = Table::new("title");
        let (flumen, peer) = (Series(vec![50.0, 20.0, 80.0]), Series(vec![3000.0]));
        table.less("wall", &flumen, &peer, "1 : 50");
        table.times("running", &peer, &flumen, "1.1 ×");
        let text = table.to_string();
        assert!(text.contains("50.0 ms (20.0 to 80.0)  "), "{text}");
        assert!(text.contains("1 : 60.0") && text.contains("60.0 ×"), "{text}");
    }

    #[test]
    fn a_peer_that_is_not_installed_is_named_and_has_no_column() {
        let mut table = Table::beside_installed("title", "Maven", false);
        table.less("wall", &Series(vec![50.0]), &Series::default(), "1 : 50");
        table.alone("sent", Unit::Bytes, &Series(vec![31_457_280.0]), "0 bytes");
        let text = table.to_string();
        assert!(text.starts_with("title\n  Without figures of Maven: not installed.\n"), "{text}");
        assert!(text.contains("wall    50.0 ms") && !text.contains("1 : NaN"), "{text}");
        assert!(text.contains("31457280 bytes"), "{text}");
    }
}
