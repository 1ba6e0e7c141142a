use std::process::Stdio;

use clap::Args;
use flumen_api_types::UiLink;
use reqwest::Method;

use super::path;
use crate::{Error, arguments::JobArguments, commands::Context, text};

/// Open Flink's web UI of a job
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job ui word-count
  flumen job ui word-count --no-browser

The link that is printed works once, in one browser.")]
pub struct Ui {
    #[command(flatten)]
    job: JobArguments,

    /// Only print the link
    #[arg(long)]
    no_browser: bool,
}

impl Ui {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let link: UiLink = context
            .client
            .call(Method::POST, format!("open the web UI of the job {job}"), &path(&job, &["ui"]))
            .fetch()
            .await?;
        if context.printer.is_json() {
            return context.printer.json(&link);
        }
        context.printer.line(&link.url)?;
        let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| (context.variables)(name).is_some_and(|value| !value.is_empty()));
        if !self.no_browser && has_screen && context.printer.is_interactive() {
            open(&link.url);
        } else {
            let left = text::between((context.now)(), link.expires_at);
            context.printer.note(format!(
                "Open it in a browser on this machine within {}; it works once.",
                text::duration(left)
            ));
        }
        Ok(())
    }
}

/// Hands the link to the desktop. The link stands on the terminal, so nothing is lost if that fails.
fn open(url: &str) {
    let nothing = Stdio::null;
    let _ = std::process::Command::new("xdg-open")
        .arg(url)
        .stdin(nothing())
        .stdout(nothing())
        .stderr(nothing())
        .spawn();
}
