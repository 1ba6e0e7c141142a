//! The values of a build, and the script that fetches, with a real git.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod credentials;
mod failures;
mod objects;
mod scripts;
mod standing;

use flumen_model::ProjectSpec;

const OPERATION: &str = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn spec(text: &str) -> ProjectSpec {
    let spec: ProjectSpec = serde_json::from_str(text).unwrap();
    spec.check().unwrap();
    spec
}
