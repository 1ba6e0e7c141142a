//! Orders in a file, and what they come to, computed without Flink.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::{payment_fee::PAYMENTS, random, results::files_below};

/// The orders are the same at every run.
const SEED: u64 = 0x0D_E4;
const PRODUCTS: u64 = 50;
const SECONDS_OF_A_DAY: u64 = 24 * 3600;
const MAX_CENTS: u64 = 25_000;

/// What a group of orders comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    orders: u64,
    cents: u64,
    fees: u64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.cents += other.cents;
        self.fees += other.fees;
    }
}

/// Orders in a file, and what they come to.
#[derive(Debug, Default)]
pub struct Orders {
    /// By the beginning of a window of ten minutes, as `13:40`, and the payment.
    windows: BTreeMap<(String, &'static str), Sum>,
    products: BTreeMap<String, u64>,
    providers: BTreeMap<(&'static str, String), Sum>,
}

impl Orders {
    /// Writes so many orders of one day to a CSV file, the same for the same number.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn generate(path: &Path, count: u64) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("could not create {}", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let mut state = SEED;
        let mut orders = Self::default();
        for id in 0..count {
            let second = id * SECONDS_OF_A_DAY / count;
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let product = format!("product-{}", random::next(&mut state) % PRODUCTS);
            let payment = random::next(&mut state) % PAYMENTS.len() as u64;
            let payment = &PAYMENTS[usize::try_from(payment).unwrap_or_default()];
            let cents = 1 + random::next(&mut state) % MAX_CENTS;
            let amount = money(cents);
            writeln!(
                out,
                "{id},{product},{},{amount},2026-03-01 {hour:02}:{minute:02}:{second:02}",
                payment.name
            )?;
            let order = Sum { orders: 1, cents, fees: payment.fee(cents) };
            let window = (format!("{hour:02}:{}0", minute / 10), payment.name);
            orders.windows.entry(window).or_default().add(order);
            *orders.products.entry(product.clone()).or_default() += 1;
            orders.providers.entry((payment.provider, product)).or_default().add(order);
        }
        out.flush()?;
        Ok(orders)
    }

    /// Compares with what Flink wrote below the directory: in `revenue` the orders, amounts and fees of each window and payment,
    /// in `products` the orders of each product. Says what was compared.
    ///
    /// # Errors
    /// If a line is missing, is there twice or has other numbers.
    pub fn check(&self, directory: &Path) -> Result<String> {
        let revenue = self.windows.iter().map(|((window, payment), sum)| {
            format!("{window},{payment},{},{},{}", sum.orders, sum.cents, sum.fees)
        });
        let found = lines_below(&directory.join("revenue"))?;
        let found = found.iter().map(|line| in_cents(line, 3)).collect::<Result<_>>()?;
        same("revenue", found, revenue)?;
        let products = self.products.iter().map(|(product, count)| format!("{product},{count}"));
        same("products", lines_below(&directory.join("products"))?, products)?;
        let sum = total(self.windows.values());
        Ok(format!(
            "{} windows and payments with {} orders, {} in amounts, {} in fees\n{} products with {} orders",
            self.windows.len(),
            sum.orders,
            money(sum.cents),
            money(sum.fees),
            self.products.len(),
            self.products.values().sum::<u64>()
        ))
    }

    /// Compares with the rows of a table: the orders and amounts of each provider of payments and product. Says what was compared.
    ///
    /// # Errors
    /// As [`Orders::check`].
    pub fn check_table(&self, rows: &str) -> Result<String> {
        let expected = self.providers.iter().map(|((provider, product), sum)| {
            format!("{provider},{product},{},{}", sum.orders, sum.cents)
        });
        let found = rows.lines().map(|row| in_cents(row, 3)).collect::<Result<_>>()?;
        same("the table", found, expected)?;
        let sum = total(self.providers.values());
        let (rows, amount) = (self.providers.len(), money(sum.cents));
        Ok(format!("{rows} rows with {} orders, {amount} in amounts", sum.orders))
    }
}

fn total<'a>(sums: impl Iterator<Item = &'a Sum>) -> Sum {
    let mut total = Sum::default();
    sums.for_each(|sum| total.add(*sum));
    total
}

/// Cents as an amount with two decimals.
fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A line whose fields from this one on are amounts, with these in cents. However many decimals an amount has, it must be exact.
fn in_cents(line: &str, first: usize) -> Result<String> {
    let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
    for field in fields.iter_mut().skip(first) {
        let (units, decimals) = field.split_once('.').unwrap_or((field.as_str(), ""));
        let digits = format!("{units}{decimals:0<2}");
        let is_exact = decimals.len() <= 2 && !units.is_empty();
        let cents = digits.parse::<u64>().ok().filter(|_| is_exact);
        *field = cents.with_context(|| format!("{line:?} has no amount {field:?}"))?.to_string();
    }
    Ok(fields.join(","))
}

fn lines_below(directory: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files_below(directory)? {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        found.extend(text.lines().map(ToOwned::to_owned));
    }
    Ok(found)
}

fn same(what: &str, mut found: Vec<String>, expected: impl Iterator<Item = String>) -> Result<()> {
    found.sort();
    let mut expected: Vec<String> = expected.collect();
    expected.sort();
    let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    ensure!(
        found.len() == expected.len() && different.is_none(),
        "{what} has {} lines, {} are right; the first that differs: {different:?}",
        found.len(),
        expected.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.csv");
        let orders = Orders::generate(&path, 10_000).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let amount = |line: &str| {
            let amount = line.split(',').nth(3).unwrap().to_owned();
            in_cents(&amount, 0).unwrap().parse::<u64>().unwrap()
        };
        let cents: u64 = text.lines().map(amount).sum();
        for sum in [total(orders.windows.values()), total(orders.providers.values())] {
            assert_eq!((sum.orders, sum.cents), (10_000, cents));
        }
        assert_eq!(orders.products.values().sum::<u64>(), 10_000);
    }

    #[test]
    fn a_result_with_one_wrong_number_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let orders = Orders::generate(&directory.path().join("orders.csv"), 10_000).unwrap();
        let write = |name: &str, lines: Vec<String>| {
            fs::create_dir_all(directory.path().join(name)).unwrap();
            fs::write(directory.path().join(name).join("part-0"), lines.join("\n")).unwrap();
        };
        let revenue = |more| {
            let line = |((window, payment), sum): (&(String, &str), &Sum)| {
                let (amount, fees) = (money(sum.cents), money(sum.fees + more));
                format!("{window},{payment},{},{amount},{fees}", sum.orders)
            };
            orders.windows.iter().map(line).collect::<Vec<_>>()
        };
        let products = orders.products.iter().map(|(name, count)| format!("{name},{count}"));
        write("products", products.collect());
        write("revenue", revenue(0));
        orders.check(directory.path()).unwrap();
        write("revenue", revenue(1));
        assert!(orders.check(directory.path()).is_err());
    }

    #[test]
    fn a_table_with_a_row_too_many_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let orders = Orders::generate(&directory.path().join("orders.csv"), 10_000).unwrap();
        let row = |((provider, product), sum): (&(&str, String), &Sum)| {
            format!("{provider},{product},{},{}\n", sum.orders, money(sum.cents))
        };
        let rows: String = orders.providers.iter().map(row).collect();
        orders.check_table(&rows).unwrap();
        assert!(orders.check_table(&format!("{rows}Bank,product-0,1,0.01\n")).is_err());
    }

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!(in_cents("a,12.3,4,0.05", 1).unwrap(), "a,1230,400,5");
        for wrong in ["a,1.234", "a,1E+3", "a,", "a,-1"] {
            assert!(in_cents(wrong, 1).is_err(), "{wrong}");
        }
    }
}
