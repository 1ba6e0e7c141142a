//! A function in Java for SQL scripts, and what it comes to.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use zip::{DateTime, ZipWriter, write::SimpleFileOptions};

use crate::examples::flink_jar;

const SOURCE: &str = include_str!("../java/flumen/example/PaymentFee.java");
const CLASS: &str = "flumen/example/PaymentFee";
/// Java 8, which Flink 1.20 still runs on.
const RELEASE: &str = "8";

/// How a customer may pay: what it is called, which share of the amount the shop pays for it in hundredths of a per cent, a
/// fixed part in cents, and who takes it.
pub(crate) struct Payment {
    pub(crate) name: &'static str,
    pub(crate) share: u64,
    pub(crate) fixed: u64,
    pub(crate) provider: &'static str,
}

pub(crate) const PAYMENTS: [Payment; 5] = [
    payment("card", 140, 25, "Acquirer"),
    payment("wallet", 249, 35, "Acquirer"),
    payment("invoice", 295, 0, "Collector"),
    payment("transfer", 0, 20, "Bank"),
    payment("cash", 0, 0, "Bank"),
];

const fn payment(name: &'static str, share: u64, fixed: u64, provider: &'static str) -> Payment {
    Payment { name, share, fixed, provider }
}

impl Payment {
    /// The fee in cents.
    pub(crate) const fn fee(&self, cents: u64) -> u64 {
        (cents * self.share + 5_000) / 10_000 + self.fixed
    }
}

/// Compiles the function `flumen.example.PaymentFee` for this Flink version, and packs it into a jar in the directory. What
/// it is compiled against is downloaded once into the cache directory.
///
/// # Errors
/// If something cannot be downloaded or written, or there is no compiler of Java.
pub fn payment_fee_jar(cache: &Path, version: &str, directory: &Path) -> Result<PathBuf> {
    let api = flink_jar(cache, "flink-table-common", version)?;
    let work = tempfile::tempdir_in(directory).context("no directory for the class")?;
    let source = work.path().join("PaymentFee.java");
    fs::write(&source, SOURCE).context("could not write the function")?;
    let javac = javac();
    let output = Command::new(&javac)
        .args(["--release", RELEASE, "-Xlint:all", "-Xlint:-options,-classfile", "-Werror"])
        .args(["-proc:none", "-g:source,lines", "-encoding", "UTF-8", "-classpath"])
        .arg(&api)
        .arg("-d")
        .args([work.path(), &source])
        .output()
        .with_context(|| format!("could not run {}", javac.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} does not compile PaymentFee: {said}", javac.display());
    let class = fs::read(work.path().join(format!("{CLASS}.class"))).context("no class")?;
    let jar = directory.join("payment-fee.jar");
    pack(&jar, &class).with_context(|| format!("could not write {}", jar.display()))?;
    Ok(jar)
}

fn javac() -> PathBuf {
    let of_home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/javac"));
    of_home.filter(|javac| javac.exists()).unwrap_or_else(|| "javac".into())
}

/// The same bytes for the same class.
fn pack(jar: &Path, class: &[u8]) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(jar)?);
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    for (name, content) in [
        ("META-INF/MANIFEST.MF".to_owned(), b"Manifest-Version: 1.0\r\n\r\n".as_slice()),
        (format!("{CLASS}.class"), class),
    ] {
        zip.start_file(name, options)?;
        zip.write_all(content)?;
    }
    zip.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_half_up_to_cents() {
        let card = &PAYMENTS[0];
        // 1.4 % of 2.50 is 0.035, and of 2.49 is 0.03486.
        assert_eq!([card.fee(250), card.fee(249)], [29, 28]);
        assert_eq!(PAYMENTS[4].fee(250), 0);
    }
}
