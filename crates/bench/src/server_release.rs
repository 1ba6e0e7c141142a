//! Releases by `flumen apply`, as far as their images: the job is cancelled as soon as its image stands.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use flumen_e2e::Flumen;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    peer::{FLINK, MAIN_CLASS},
    process::measured,
    upload,
};

const JOB: &str = "released";
const STEP: &str = "build-image";
const LOOK_EVERY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct ServerReleases<'a> {
    flumen: &'a Flumen,
    directory: PathBuf,
    example: PathBuf,
    /// What is in the jar besides the example.
    bytes: u64,
}

/// When an image stood.
pub(crate) struct Released {
    /// From the start of the command.
    pub(crate) until_image: Duration,
    /// From the start of the step that sees to the image.
    pub(crate) step: Duration,
}

impl<'a> ServerReleases<'a> {
    /// Releases the job once, so that all but its jar is there.
    pub(crate) fn prepare(
        flumen: &'a Flumen,
        directory: &Path,
        (example, bytes): (&Path, u64),
    ) -> Result<Self> {
        let directory = directory.join("server");
        fs::create_dir_all(&directory).context("no directory for a job")?;
        let releases = Self { flumen, directory, example: example.to_owned(), bytes };
        releases.changed()?;
        Ok(releases)
    }

    /// Applies the job with another jar.
    pub(crate) fn changed(&self) -> Result<Released> {
        let jar = self.directory.join("job.jar");
        self.write_jar(&jar)?;
        let file = self.directory.join("job.yaml");
        fs::write(&file, job_file(&jar)).context("no job file")?;
        self.release(&["apply", "--file", &file.display().to_string()], "/operation/id")
    }

    /// Starts the job as it was.
    pub(crate) fn unchanged(&self) -> Result<Released> {
        self.release(&["job", "start", JOB], "/id")
    }

    fn release(&self, arguments: &[&str], id: &str) -> Result<Released> {
        let began = Timestamp::try_from(SystemTime::now()).context("no time of day")?;
        let said = self.flumen.json(arguments)?;
        let id = said.pointer(id).and_then(Value::as_str);
        let step = self.image_step(id.with_context(|| format!("no operation in {said}"))?)?;
        self.flumen.succeed(&["job", "cancel", JOB, "--wait"])?;
        let time = |name: &str| -> Result<Timestamp> {
            let text = step[name].as_str().with_context(|| format!("no {name} in {step}"))?;
            text.parse().with_context(|| format!("{name} is no time in {step}"))
        };
        let (started, finished) = (time("startedAt")?, time("finishedAt")?);
        let between = |from| Duration::try_from(finished.duration_since(from)).unwrap_or_default();
        Ok(Released { until_image: between(began), step: between(started) })
    }

    /// The step of the operation that sees to the image, when it is done.
    fn image_step(&self, operation: &str) -> Result<Value> {
        let began = Instant::now();
        loop {
            let said = self.flumen.json(&["operation", "show", operation])?;
            let steps = said["steps"].as_array().into_iter().flatten();
            match steps.into_iter().find(|step| step["name"] == STEP) {
                Some(step) if step["state"] == "succeeded" => return Ok(step.clone()),
                Some(step) if !step["error"].is_null() => bail!("the image failed: {step}"),
                _ => {}
            }
            ensure!(began.elapsed() < PATIENCE, "no image after {PATIENCE:?}: {said}");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// The example with bytes in it that it had never before.
    fn write_jar(&self, jar: &Path) -> Result<()> {
        fs::copy(&self.example, jar).context("could not copy the example")?;
        upload::random_file(&self.directory.join("random"), self.bytes)?;
        let mut command = Command::new("jar");
        command.arg("uf0").arg(jar).arg("-C").arg(&self.directory).arg("random");
        measured(&mut command).map(drop)
    }
}

fn job_file(jar: &Path) -> String {
    format!(
        "name: {JOB}\nenvironment: local\nflinkVersion: {FLINK}\nartifact: {}\nmainClass: {MAIN_CLASS}\n\
         upgradeMode: stateless\n",
        jar.display()
    )
}
