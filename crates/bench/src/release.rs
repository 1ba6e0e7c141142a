//! Releases: how long their images take and what is sent, beside what the same bytes take without any of it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use flumen_e2e::{Flumen, example_jar};
use serde_json::Value;

use crate::{
    figures::{Series, Table, Unit},
    peer::FLINK,
    process::{Spent, is_installed, measured, peak},
    server_release::ServerReleases,
    upload::{self, Upload},
};

const MIB: u64 = 1 << 20;
const JAR_BYTES: u64 = 30 * MIB;
/// As large as an image of Flink with a Java of its own.
const BASE_BYTES: u64 = 560_000_000;
const PART_BYTES: u64 = 256 * MIB;
/// How many parts the large release has.
const PARTS: u64 = 8;
const USRLIB: &str = "/opt/flink/usrlib/";

/// A `flumen up` with its registry, a base image in it and the files to release.
struct Bench<'a> {
    binary: &'a Path,
    directory: &'a Path,
    registry: String,
    base: String,
    base_bytes: u64,
}

/// What `flumen image append` said of the image.
struct Appended {
    spent: Spent,
    sent: u64,
    layers: u64,
}

/// The tables of a `flumen up` that is started for them.
pub(crate) fn measure(
    binary: &Path,
    cache: &Path,
    directory: &Path,
    runs: usize,
) -> Result<[Table; 3]> {
    let flumen = Flumen::up(binary, (&directory.join("data"), cache))?;
    flumen.succeed(&["version", "add", FLINK, "--wait"])?;
    let example = example_jar(cache, FLINK)?;
    let bench = Bench::prepare(binary, directory, &flumen)?;
    let server = ServerReleases::prepare(&flumen, directory, (&example, JAR_BYTES))?;
    let changed = bench.changed(&server, runs)?;
    let there = bench.there(&server, runs)?;
    let large = bench.large()?;
    flumen.stop()?;
    Ok([changed, there, large])
}

impl<'a> Bench<'a> {
    fn prepare(binary: &'a Path, directory: &'a Path, flumen: &Flumen) -> Result<Self> {
        let registry = text(&flumen.json(&["environment", "show", "local"])?, "/registry")?;
        let flink = text(&flumen.json(&["version", "show", FLINK])?, "/baseImage")?;
        let flink = format!("{registry}/{flink}");
        let base = format!("{registry}/bench/base:1");
        let mut bench = Self { binary, directory, registry, base: base.clone(), base_bytes: 0 };
        let missing = BASE_BYTES.saturating_sub(bench.size(&flink)?);
        let filler = directory.join("filler");
        upload::random_file(&filler, missing)?;
        bench.append(&flink, &base, &[&place(&filler, "/opt/filler")], "zstd")?;
        bench.base_bytes = bench.size(&base)?;
        Ok(bench)
    }

    /// A jar that changed: all else is there.
    fn changed(&self, server: &ServerReleases<'_>, runs: usize) -> Result<Table> {
        let has_curl = is_installed("curl");
        let (mut wall, mut cpu, mut gzip) = (Pair::default(), Pair::default(), Series::default());
        let (mut sent, mut layers, mut whole) = <(Series, Series, Series)>::default();
        let jar = self.directory.join("job.jar");
        for run in 0..runs {
            upload::random_file(&jar, JAR_BYTES)?;
            let target = |kind: &str| format!("{}/bench/{kind}:{run}", self.registry);
            let places = [place(&jar, USRLIB)];
            let places: Vec<_> = places.iter().map(String::as_str).collect();
            let one = self.append(&self.base, &target("job"), &places, "zstd")?;
            wall.flumen.push(one.spent.wall);
            cpu.flumen.push(one.spent.cpu);
            sent.add(to_figure(one.sent));
            layers.add(to_figure(one.layers));
            gzip.push(self.append(&self.base, &target("job"), &places, "gzip")?.spent.wall);
            if has_curl {
                let upload = Upload { registry: &self.registry, repository: "bench/peer" };
                upload::random_file(&jar, one.layers)?;
                let (_, peer) = measured(&mut upload.command(&jar))?;
                wall.peer.push(peer.wall);
                cpu.peer.push(peer.cpu);
            }
            whole.push(server.changed()?.until_image);
        }
        let title = format!(
            "10. A release after a change of a jar of {} MiB, on a base image of {} MB",
            JAR_BYTES / MIB,
            self.base_bytes / 1_000_000
        );
        let mut table = Table::beside_installed(&title, "sha256sum and curl", has_curl);
        table.times("`flumen image append --compression zstd`", &wall.flumen, &wall.peer, "1.3 ×");
        table.times("CPU of that", &cpu.flumen, &cpu.peer, "");
        table.times("`flumen image append`, which takes gzip", &gzip, &wall.peer, "");
        let what = "`flumen apply`, until the image stands";
        table.times(what, &whole, &wall.peer, "");
        table.alone("sent", Unit::Bytes, &sent, "the layer");
        table.alone("the layer that changed", Unit::Bytes, &layers, "");
        Ok(table)
    }

    /// What the registry has already.
    fn there(&self, server: &ServerReleases<'_>, runs: usize) -> Result<Table> {
        let (mut step, mut again, mut mounted) = <(Series, Series, Series)>::default();
        let (mut sent_again, mut of_base) = <(Series, Series)>::default();
        let jar = self.directory.join("job.jar");
        let places = [place(&jar, USRLIB)];
        let places: Vec<_> = places.iter().map(String::as_str).collect();
        upload::random_file(&jar, JAR_BYTES)?;
        let target = format!("{}/bench/job:again", self.registry);
        self.append(&self.base, &target, &places, "zstd")?;
        for run in 0..runs {
            step.push(server.unchanged()?.step);
            let one = self.append(&self.base, &target, &places, "zstd")?;
            again.push(one.spent.wall);
            sent_again.add(to_figure(one.sent));
            let small = self.directory.join("small");
            upload::random_file(&small, 1)?;
            let other = format!("{}/bench/other-{run}:1", self.registry);
            let one = self.append(&self.base, &other, &[&place(&small, "/opt/small")], "zstd")?;
            mounted.push(one.spent.wall);
            of_base.add(to_figure(one.sent));
        }
        let mut table = Table::beside("11. What the registry has already", "");
        let ms = Unit::Milliseconds;
        let what = "`flumen job start` of a release that has its image: the step `build-image`";
        table.alone(what, ms, &step, "20 ms");
        table.alone("`flumen image append` of the same jar, which packs it again", ms, &again, "");
        table.alone("sent", Unit::Bytes, &sent_again, "0 bytes");
        let what = format!("the base of {} MB in another repository", self.base_bytes / 1_000_000);
        table.alone(&format!("{what}, with one byte on top"), ms, &mounted, "");
        table.alone("sent, that byte's layer and the configuration", Unit::Bytes, &of_base, "");
        Ok(table)
    }

    /// Memory, which must not grow with what is released.
    fn large(&self) -> Result<Table> {
        let part = self.directory.join("part");
        upload::random_file(&part, PART_BYTES)?;
        let places: Vec<_> =
            (0..PARTS).map(|number| place(&part, &format!("{USRLIB}part-{number}"))).collect();
        let places: Vec<_> = places.iter().map(String::as_str).collect();
        let target = format!("{}/bench/large:1", self.registry);
        let mut command = self.command(&self.base, &target, &places, "zstd");
        let (wall, memory) = peak(&mut command)?;
        let title = format!(
            "12. A release of {PARTS} artifacts, {} MB together, by `flumen image append --compression zstd`",
            PARTS * PART_BYTES / 1_000_000
        );
        let mut table = Table::beside(&title, "");
        let mut time = Series::default();
        time.push(wall);
        let memory = Series::of(to_figure(memory) / to_figure(MIB));
        table.alone("most memory that it held", Unit::Mebibytes, &memory, "100 MB");
        table.alone("time", Unit::Milliseconds, &time, "");
        Ok(table)
    }

    fn append(
        &self,
        base: &str,
        target: &str,
        places: &[&str],
        compression: &str,
    ) -> Result<Appended> {
        let (output, spent) = measured(&mut self.command(base, target, places, compression))?;
        let said: Value = serde_json::from_slice(&output.stdout).context("append said no JSON")?;
        let layers = said["layers"].as_array().into_iter().flatten();
        let layers = layers.filter_map(|layer| layer["size"].as_u64()).sum();
        let bytes = said["sentBytes"].as_u64().context("append did not say what it sent")?;
        Ok(Appended { spent, sent: bytes, layers })
    }

    fn command(&self, base: &str, target: &str, places: &[&str], compression: &str) -> Command {
        let mut command = flumen_e2e::command(self.binary);
        command.args(["image", "append", base, target, "--compression", compression]);
        command.args(places.iter().flat_map(|place| ["--add", place]));
        command.args(["--output", "json"]).stdin(Stdio::null());
        command
    }

    /// What the layers of an image are together.
    fn size(&self, image: &str) -> Result<u64> {
        let mut command = flumen_e2e::command(self.binary);
        let (output, _) = measured(command.args(["image", "inspect", image, "--output", "json"]))?;
        let said: Value = serde_json::from_slice(&output.stdout).context("inspect said no JSON")?;
        said["image"]["size"].as_u64().context("inspect did not say how large the image is")
    }
}

#[derive(Default)]
struct Pair {
    flumen: Series,
    peer: Series,
}

fn place(source: &Path, destination: &str) -> String {
    format!("{}:{destination}", source.display())
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("there is no {pointer} in {value}"))
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn to_figure(bytes: u64) -> f64 {
    bytes as f64
}
