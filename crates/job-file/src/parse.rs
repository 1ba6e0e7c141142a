use std::collections::HashMap;

use flumen_model::JobSpec;

use crate::{
    Error, Problem,
    fields::{Field, Report},
    job, yaml,
};

/// Reads every job in `text`. `file_name` is only for messages.
///
/// # Errors
/// All problems of the file together: what is no YAML (reading ends there), unknown, missing and
/// doubled keys, values that are not allowed, no job at all, the same job twice.
pub fn parse(file_name: &str, text: &str) -> Result<Vec<JobSpec>, Error> {
    let (documents, fault) = yaml::read(text);
    let mut report = Report::default();
    let mut jobs = Vec::new();
    let mut seen = HashMap::new();
    for document in &documents {
        let field = Field { key: String::new(), node: document };
        let Some(job) = job::read(&field, &mut report) else { continue };
        let identity = (job.environment.clone(), job.name.clone());
        if let Some(line) = seen.insert(identity, document.at.line) {
            let message = format!("the job {} of line {line} is in this file again", job.name);
            report.add(document.at, "", message);
        }
        jobs.push(job);
    }
    let mut problems = report.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems.extend(fault);
    if problems.is_empty() && jobs.is_empty() {
        problems.push(Problem {
            line: 1,
            column: 1,
            key: String::new(),
            message: "there is no job in this file; it needs at least name, environment, flinkVersion and artifact"
                .to_owned(),
        });
    }
    if problems.is_empty() { Ok(jobs) } else { Err(Error { file: file_name.to_owned(), problems }) }
}

#[cfg(test)]
mod tests;
