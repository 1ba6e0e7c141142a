//! The few lines of a log that say why.

/// How many lines say why a build failed.
const LINES: usize = 20;

/// What Maven says after each failure, whatever it is.
const MAVEN_ADVICE: [&str; 8] = [
    "To see the full stack trace",
    "Re-run Maven using the -X",
    "For more information about the errors",
    "[Help ",
    "-> [Help ",
    "After correcting the problems",
    "mvn <args> -rf",
    "mvn <goals> -rf",
];

/// The lines of a builder's log that say why it failed: those that it marks, or else the last ones.
pub fn essence(log: &str) -> String {
    let mut marked: Vec<&str> = Vec::new();
    for line in log.lines().map(str::trim_end) {
        let Some(words) = line.strip_prefix("[ERROR] ") else { continue };
        let is_advice = MAVEN_ADVICE.iter().any(|advice| words.starts_with(advice));
        // Maven says most of it twice.
        if !is_advice && !marked.contains(&line) && marked.len() < LINES {
            marked.push(line);
        }
    }
    if !marked.is_empty() {
        return marked.join("\n");
    }
    if let Some(from) = log.find("* What went wrong:") {
        let until = log[from..].find("* Try:").map_or(log.len(), |end| from + end);
        return first_lines(&log[from..until], LINES);
    }
    last_lines(log, LINES)
}

fn first_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).take(count).collect();
    lines.join("\n")
}

/// The last lines that are not empty.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let mut lines: Vec<&str> =
        text.lines().rev().map(str::trim_end).filter(|line| !line.is_empty()).take(count).collect();
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_maven_marks_is_the_reason_and_its_advice_is_not() {
        let log = "[INFO] Building a 1\n[ERROR] COMPILATION ERROR :\n[ERROR] /A.java:[1,2] ';' expected\n[INFO] BUILD FAILURE\n\
            [ERROR] Failed to execute goal compile\n\
            [ERROR] /A.java:[1,2] ';' expected\n[ERROR] -> [Help 1]\n[ERROR] \n[ERROR] To see the full stack trace of the errors, re-run\n\
            [ERROR] Re-run Maven using the -X switch\n[ERROR] [Help 1] http://maven\n";
        assert_eq!(
            essence(log),
            "[ERROR] COMPILATION ERROR :\n[ERROR] /A.java:[1,2] ';' expected\n[ERROR] Failed to execute goal compile"
        );
    }

    #[test]
    fn what_gradle_says_went_wrong_is_the_reason() {
        let log = "> Task :compileJava FAILED\n\nFAILURE: Build failed with an exception.\n\n* What went wrong:\n\
            Execution failed for task ':compileJava'.\n> Compilation failed\n\n* Try:\n> Run with --info\n";
        assert_eq!(
            essence(log),
            "* What went wrong:\nExecution failed for task ':compileJava'.\n> Compilation failed"
        );
    }

    #[test]
    fn else_it_is_the_end() {
        let log = (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
        let said = essence(&log);
        assert!(said.starts_with("line 80\n") && said.ends_with("line 99"), "{said}");
    }
}
