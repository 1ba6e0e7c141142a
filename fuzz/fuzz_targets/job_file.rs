//! A job file: jobs, or problems with their places.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match flumen_job_file::parse("job.yaml", text) {
        Ok(jobs) => assert!(!jobs.is_empty()),
        Err(error) => assert!(error.problems.iter().all(|it| it.line >= 1 && it.column >= 1)),
    }
});
