//! Artifacts with all that they depend on: `flumen maven fetch` beside Maven, from the same repository.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    figures::{Series, Table},
    mirror::Mirror,
    process::{Spent, is_installed, measured},
};

/// Three connectors that bring 66 jars, 86 MB.
const WANTED: [&str; 3] = [
    "org.apache.flink:flink-connector-kafka:3.4.0-1.20",
    "org.apache.iceberg:iceberg-flink-runtime-1.20:1.8.1",
    "org.elasticsearch.client:elasticsearch-rest-high-level-client:7.17.20",
];
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const MAVEN: &str = "mvn";

/// Both sides in turns, each first with an empty local repository and then with a full one.
pub(crate) fn measure(binary: &Path, cache: &Path, directory: &Path, runs: usize) -> Result<Table> {
    let has_maven = is_installed(MAVEN);
    let sides = Sides::prepare(binary, cache, directory, has_maven)?;
    let (mut cold, mut warm) = (Pair::default(), Pair::default());
    let mut without_plugin = Pair::default();
    for run in 0..runs {
        let at = directory.join(run.to_string());
        let ours = at.join("flumen");
        let (first, second) = (sides.flumen(&ours, "first")?, sides.flumen(&ours, "second")?);
        cold.flumen.push(first);
        without_plugin.flumen.push(first);
        warm.flumen.push(second);
        if has_maven {
            let theirs = at.join("maven");
            cold.peer.push(sides.maven(&theirs, "first")?);
            warm.peer.push(sides.maven(&theirs, "second")?);
            same_files(&ours.join("first"), &theirs.join("first"))?;
            let prepared = at.join("prepared");
            copy_tree(&sides.plugins, &prepared.join("repository"))?;
            without_plugin.peer.push(sides.maven(&prepared, "first")?);
        }
        fs::remove_dir_all(&at).context("could not remove what was fetched")?;
    }
    let title = format!(
        "9. {} artifacts: `flumen maven fetch` beside `mvn dependency:copy-dependencies`, from a repository on loopback",
        sides.count
    );
    let mut table = Table::beside_installed(&title, "Maven", has_maven);
    table.less("empty local repository", &cold.flumen.wall, &cold.peer.wall, "1 : 3");
    table.less("CPU of that", &cold.flumen.cpu, &cold.peer.cpu, "");
    let (ours, theirs) = (&without_plugin.flumen, &without_plugin.peer);
    table.less("the same, Maven with all of its plugin", &ours.wall, &theirs.wall, "1 : 3");
    table.less("CPU of that", &ours.cpu, &theirs.cpu, "");
    table.less("full local repository", &warm.flumen.wall, &warm.peer.wall, "1 : 50");
    table.less("CPU of that", &warm.flumen.cpu, &warm.peer.cpu, "");
    Ok(table)
}

#[derive(Default)]
struct Pair {
    flumen: Times,
    peer: Times,
}

#[derive(Default)]
struct Times {
    wall: Series,
    cpu: Series,
}

impl Times {
    fn push(&mut self, spent: Spent) {
        self.wall.push(spent.wall);
        self.cpu.push(spent.cpu);
    }
}

/// What both sides are run with.
struct Sides {
    binary: PathBuf,
    /// The directory of the project that Maven works in.
    project: PathBuf,
    settings: PathBuf,
    /// A local repository that has what Maven itself needs, and nothing else.
    plugins: PathBuf,
    /// How many artifacts it is about.
    count: usize,
    _mirror: Mirror,
}

impl Sides {
    /// Sees that the repository, which is kept in the cache, has all that both sides ask for.
    fn prepare(binary: &Path, cache: &Path, directory: &Path, has_maven: bool) -> Result<Self> {
        let kept = cache.join("maven");
        let project = directory.join("project");
        write_project(&project, &WANTED)?;
        let warm_up = directory.join("warm-up");
        let mut fill = fetch(binary, &kept, &warm_up);
        measured(&mut fill).context("could not fill the repository")?;
        if has_maven {
            let out = directory.join("warm-up-maven");
            measured(&mut copy_dependencies(&project, &kept, &out))
                .context("could not fill the repository")?;
        }
        let mirror = Mirror::start(&kept)?;
        let settings = directory.join("settings.xml");
        let text = format!(
            "<settings><mirrors><mirror><id>bench</id><mirrorOf>*</mirrorOf><url>{}</url></mirror></mirrors></settings>",
            mirror.address
        );
        fs::write(&settings, text).context("no settings for Maven")?;
        let plugins = directory.join("plugins");
        if has_maven {
            let empty = directory.join("empty-project");
            write_project(&empty, &[])?;
            let mut command = copy_dependencies(&empty, &plugins, &directory.join("nothing"));
            measured(command.arg("-s").arg(&settings)).context("could not fetch the plugin")?;
        }
        let count = names_in(&warm_up)?.len();
        let binary = binary.to_owned();
        Ok(Self { binary, project, settings, plugins, count, _mirror: mirror })
    }

    /// Fetches into `at/out`, with the local repository of `at`.
    fn flumen(&self, at: &Path, out: &str) -> Result<Spent> {
        let mut command = fetch(&self.binary, &at.join("repository"), &at.join(out));
        Ok(measured(command.arg("--settings").arg(&self.settings))?.1)
    }

    fn maven(&self, at: &Path, out: &str) -> Result<Spent> {
        let mut command = copy_dependencies(&self.project, &at.join("repository"), &at.join(out));
        Ok(measured(command.arg("-s").arg(&self.settings))?.1)
    }
}

fn fetch(binary: &Path, repository: &Path, out: &Path) -> Command {
    let mut command = flumen_e2e::command(binary);
    command.args(["maven", "fetch"]).args(WANTED).arg("--local-repository").arg(repository);
    command.arg("--to").arg(out).stdin(Stdio::null());
    command
}

fn copy_dependencies(project: &Path, repository: &Path, out: &Path) -> Command {
    let mut command = Command::new(MAVEN);
    command.args(["-B", "-q", "-ntp", PLUGIN, "-DincludeScope=runtime"]);
    command.arg(format!("-Dmaven.repo.local={}", repository.display()));
    command.arg(format!("-DoutputDirectory={}", out.display()));
    command.current_dir(project).stdin(Stdio::null());
    command
}

/// A project with nothing but dependencies.
fn write_project(directory: &Path, wanted: &[&str]) -> Result<()> {
    fs::create_dir_all(directory).context("no directory for a project")?;
    let dependency = |coordinates: &&str| {
        let mut parts = coordinates.split(':');
        let named = ["groupId", "artifactId", "version"]
            .map(|name| format!("<{name}>{}</{name}>", parts.next().unwrap_or_default()));
        format!("<dependency>{}</dependency>", named.concat())
    };
    let dependencies: Vec<_> = wanted.iter().map(dependency).collect();
    let dependencies = dependencies.concat();
    let text = format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>bench</artifactId>\
         <version>1</version><dependencies>{dependencies}</dependencies></project>"
    );
    fs::write(directory.join("pom.xml"), text).context("no project")
}

/// Whoever fetches other files is not measured doing the same.
fn same_files(ours: &Path, theirs: &Path) -> Result<()> {
    let (ours, theirs) = (names_in(ours)?, names_in(theirs)?);
    let differences: Vec<_> = ours.symmetric_difference(&theirs).collect();
    ensure!(differences.is_empty(), "only one of both sides fetched {differences:?}");
    Ok(())
}

fn names_in(directory: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("could not read {}", directory.display()))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context("no directory for a copy")?;
    for entry in fs::read_dir(from).context("nothing to copy")? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
