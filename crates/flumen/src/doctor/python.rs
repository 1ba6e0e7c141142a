use std::process::Command;

use super::Finding;

/// `flumen version add` gets Flink by pip where no directory is given.
pub(super) fn check() -> Finding {
    const NAME: &str = "pip";
    let remedy = "install it: apt-get install python3-pip; or use `flumen version add VERSION --from-directory DIRECTORY`";
    match Command::new("python3").args(["-m", "pip", "--version"]).output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            Finding::ok(NAME, words.join(" "))
        }
        Ok(_) => Finding::warn(
            NAME,
            "python3 has no pip, which `flumen version add` downloads Flink with",
            remedy,
        ),
        Err(error) => Finding::warn(NAME, format!("python3 does not run: {error}"), remedy),
    }
}
