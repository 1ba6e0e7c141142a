use flumen_flink_rest::{JobState, JobSummary, jobs_overview};

use super::{Request, on_job};
use crate::{Error, Surroundings, job_manager::JobManager};

const WIDTH: usize = 62;

/// Prints the jobs of a cluster in up to three blocks.
pub(crate) async fn list(
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let has = |option| request.line.has(option);
    let (running, scheduled, all) = match (has("r"), has("s"), has("a")) {
        (false, false, false) => (true, true, false),
        given => given,
    };
    let job_manager = JobManager::find(&request.configuration, &request.line, surroundings).await?;
    surroundings.say("Waiting for response...")?;
    let mut jobs = job_manager
        .ask(&jobs_overview())
        .await
        .map_err(on_job("Failed to retrieve job list.".to_owned()))?;
    jobs.sort_by(|one, other| {
        let key = |job: &JobSummary| (job.start_time, job.state.as_str().to_ascii_uppercase());
        key(one).cmp(&key(other))
    });
    let of = |wanted: fn(&JobState) -> bool| -> Vec<&JobSummary> {
        jobs.iter().filter(|job| wanted(&job.state)).collect()
    };
    if running || all {
        let shown = of(|state| !is_scheduled(state) && !state.is_terminal());
        print("Running/Restarting Jobs", &shown, Some("No running jobs."), surroundings)?;
    }
    if scheduled || all {
        print("Scheduled Jobs", &of(is_scheduled), Some("No scheduled jobs."), surroundings)?;
    }
    if all {
        print("Terminated Jobs", &of(JobState::is_terminal), None, surroundings)?;
    }
    Ok(())
}

fn is_scheduled(state: &JobState) -> bool {
    matches!(state, JobState::Created | JobState::Initializing)
}

fn print(
    title: &str,
    jobs: &[&JobSummary],
    none: Option<&str>,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    if jobs.is_empty() {
        if let Some(none) = none {
            surroundings.say(none)?;
        }
        return Ok(());
    }
    surroundings.say(heading(title))?;
    for job in jobs {
        let zone = jiff::tz::TimeZone::system();
        let started = job.start_time.unwrap_or_default().to_zoned(zone);
        let started = started.strftime("%d.%m.%Y %H:%M:%S");
        surroundings.say(format!("{started} : {} : {} ({})", job.id, job.name, job.state))?;
    }
    Ok(surroundings.say("-".repeat(WIDTH))?)
}

/// The title in the middle of a line, where Flink's client has it.
fn heading(title: &str) -> String {
    let rest = WIDTH - title.len() - 2;
    format!("{} {title} {}", "-".repeat(rest / 2), "-".repeat(rest - rest / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_where_scripts_look_for_them() {
        assert_eq!(
            heading("Running/Restarting Jobs"),
            "------------------ Running/Restarting Jobs -------------------"
        );
        assert_eq!(
            heading("Scheduled Jobs"),
            "----------------------- Scheduled Jobs -----------------------"
        );
        assert_eq!(
            heading("Terminated Jobs"),
            "---------------------- Terminated Jobs -----------------------"
        );
    }
}
