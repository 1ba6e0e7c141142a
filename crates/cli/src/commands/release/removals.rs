use clap::Args;
use flumen_api_types::{Page, PageQuery, Removal, RemovalKind};

use crate::{Error, Table, commands::Context, text};

/// List what was removed because nothing needed it, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release removals
  flumen release removals --limit 500 --output json")]
pub struct Removals {
    /// At most this many, the newest ones
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

impl Removals {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let query = PageQuery { limit: Some(self.limit), cursor: None };
        let page: Page<Removal> =
            context.client.get("list what was removed", &["removals"], &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let mut table = Table::new(&["REMOVED", "KIND", "NAME", "SIZE"]);
        for removal in &page.items {
            let (kind, size) = match removal.kind {
                RemovalKind::Release => ("release", String::new()),
                RemovalKind::Artifact => ("file", text::bytes(removal.bytes)),
                RemovalKind::Image => ("image", text::bytes(removal.bytes)),
            };
            table.row(vec![
                text::moment(removal.at).into(),
                kind.into(),
                removal.name.as_str().into(),
                size.into(),
            ]);
        }
        context.printer.table(&table)
    }
}
