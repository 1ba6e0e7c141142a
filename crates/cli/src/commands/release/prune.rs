use clap::Args;
use flumen_api_types::{Fate, Prune as Order, Pruned, PrunedItem, RemovalKind};
use jiff::Timestamp;
use reqwest::Method;

use crate::{Cell, Error, Table, Tone, commands::Context, text};

/// Remove releases that are more than jobs keep, and files and images that nothing needs
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release prune --dry-run
  flumen release prune
  flumen release prune --dry-run --output json | jq '[.items[].bytes] | add'

The server does this by itself every hour, of everything; the command does it of what is of your
team alone. A job keeps its own release, those that run, those of
which there is a snapshot, and besides its newest ones: flumen serve --keep-releases. Files and
images that no release needs stay for a time in which they may be asked for again: flumen serve
--keep-unused. A registry that does not delete images keeps them, which is said.")]
pub struct Prune {
    /// Say what would be removed and what is kept, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let pruned: Pruned = context
            .client
            .call(Method::POST, "remove what nothing needs", &["removals"])
            .json(&Order { dry_run: self.dry_run })
            .fetch()
            .await?;
        if context.printer.is_json() {
            return context.printer.json(&pruned);
        }
        if pruned.items.is_empty() {
            return context.printer.line("There is nothing to remove: everything is needed.");
        }
        let mut table = Table::new(&["KIND", "NAME", "SIZE", "", "WHY"]);
        let now = (context.now)();
        for item in &pruned.items {
            table.row(row(item, now));
        }
        context.printer.table(&table)?;
        context.printer.line(sentence(&pruned))
    }
}

fn row(item: &PrunedItem, now: Timestamp) -> Vec<Cell> {
    let (fate, tone) = match item.fate {
        Fate::Removed => ("removed", Tone::Good),
        Fate::Due => ("would be removed", Tone::Good),
        Fate::Kept if item.until.is_some() => ("kept for now", Tone::Plain),
        Fate::Kept => ("not removed", Tone::Bad),
    };
    let left = item.until.and_then(|until| until.duration_since(now).try_into().ok());
    let why = match (&item.reason, left) {
        (Some(reason), _) => reason.clone(),
        (None, Some(left)) => format!("it may be asked for again for {}", text::duration(left)),
        (None, None) => String::new(),
    };
    vec![
        kind(item.kind).into(),
        item.name.as_str().into(),
        size(item).into(),
        Cell::new(fate, tone),
        why.into(),
    ]
}

const fn kind(kind: RemovalKind) -> &'static str {
    match kind {
        RemovalKind::Release => "release",
        RemovalKind::Artifact => "file",
        RemovalKind::Image => "image",
    }
}

/// A release has no bytes of its own: its files may be those of others.
fn size(item: &PrunedItem) -> String {
    if item.kind == RemovalKind::Release { String::new() } else { text::bytes(item.bytes) }
}

fn sentence(pruned: &Pruned) -> String {
    let gone = pruned.items.iter().filter(|item| item.fate != Fate::Kept);
    let (count, bytes) = gone.fold((0, 0), |(count, bytes), item| (count + 1, bytes + item.bytes));
    let (things, verb) = match (count, pruned.dry_run) {
        (1, false) => ("thing", "is removed"),
        (_, false) => ("things", "are removed"),
        (1, true) => ("thing", "would be removed"),
        (_, true) => ("things", "would be removed"),
    };
    format!("{count} {things}, {}, {verb}.", text::bytes(bytes))
}
