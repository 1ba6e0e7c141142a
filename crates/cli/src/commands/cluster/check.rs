use std::time::Duration;

use clap::Args;
use flumen_api_types::{Check, CheckOutcome, ClusterCheck, ClusterCheckQuery};
use flumen_model::Namespace;
use reqwest::Method;

use crate::{Cell, Error, Table, Tone, commands::Context};

/// How long a check may take: each right is asked for by itself.
const PATIENCE: Duration = Duration::from_mins(5);

/// Check that a cluster can be reached and has what Flumen and Flink need
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen cluster check local
  flumen cluster check eu-1 --namespace flink --service-account flink
  flumen cluster check eu-1 --output json

It looks at the API server and its version, the cluster's DNS, and in each namespace of
the cluster's environments at each right of Flumen and of Flink's service accounts, at
quotas and at pull secrets. What could not be looked at is a warning. The exit status is
1 if a check fails.")]
pub struct CheckCluster {
    /// Name of the cluster
    name: String,

    /// A namespace that no environment has yet, to be checked too
    #[arg(long)]
    namespace: Option<Namespace>,

    /// Service account of Flink's pods in that namespace [default: those of the environments there, else
    /// default]
    #[arg(long, value_name = "NAME", requires = "namespace")]
    service_account: Option<String>,
}

impl CheckCluster {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("check the cluster {}", self.name);
        let path = ["clusters", &self.name, "check"];
        let check: ClusterCheck = context
            .client
            .call(Method::GET, action, &path)
            .query(&ClusterCheckQuery {
                namespace: self.namespace,
                service_account: self.service_account,
            })
            .within(PATIENCE)
            .fetch()
            .await?;
        if context.printer.is_json() {
            context.printer.json(&check)?;
        } else {
            context.printer.table(&table(&check.checks))?;
        }
        let failed =
            check.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail).count();
        if failed == 0 {
            return Ok(());
        }
        Err(Error::Checks {
            what: format!("the cluster {}", self.name),
            failed,
            all: check.checks.len(),
        })
    }
}

/// One line per check, with what to do about those that are not well.
pub(crate) fn table(checks: &[Check]) -> Table {
    let mut table = Table::new(&["CHECK", "RESULT", "SEEN", "WHAT TO DO"]);
    for check in checks {
        let tone = match check.outcome {
            CheckOutcome::Ok => Tone::Good,
            CheckOutcome::Warn => Tone::Notice,
            CheckOutcome::Fail => Tone::Bad,
        };
        table.row(vec![
            check.name.as_str().into(),
            Cell::new(check.outcome.as_str(), tone),
            check.detail.as_str().into(),
            check.remedy.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
