use std::{io::Read as _, path::PathBuf};

use clap::Args;
use flumen_api_types::{Project, SaveProject};
use flumen_model::ProjectSpec;
use reqwest::Method;

use crate::{Error, commands::Context};

/// Create or change a project as its file says
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project apply -f project.yaml
  flumen project show orders --output json

The file has name, environment, repository (https or ssh), ref (branch, tag or commit), directory,
builder (maven or gradle), goals, image, artifact, resources, timeout, credentials, settings and
cache; `flumen schema project` describes it. Credentials are the name of a Secret in the environment's namespace, never in the file.")]
pub struct Apply {
    /// The file of the project, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let spec = self.read()?;
        let name = spec.name.clone();
        let action = format!("change the project {name}");
        let call = context.client.call(Method::PUT, action, &["projects", name.as_str()]);
        let saved: Project = call.json(&SaveProject { spec }).fetch().await?;
        if context.printer.is_json() {
            return context.printer.json(&saved);
        }
        context.printer.line(format!(
            "The project {name} is as its file says. Build it with: flumen project build {name} --wait"
        ))
    }

    fn read(&self) -> Result<ProjectSpec, Error> {
        let is_input = self.file.as_os_str() == "-";
        let file = if is_input { "standard input".into() } else { self.file.clone() };
        let text = if is_input {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(&self.file)
        };
        let text = text.map_err(|source| Error::ReadProjectFile { file: file.clone(), source })?;
        // A snippet of the file could have a password in it that does not belong there.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let spec: ProjectSpec =
            serde_saphyr::from_str_with_options(&text, options).map_err(|source| {
                Error::ProjectFile { file: file.clone(), source: Box::new(source) }
            })?;
        spec.check().map_err(|source| Error::Project { file, source })?;
        Ok(spec)
    }
}
