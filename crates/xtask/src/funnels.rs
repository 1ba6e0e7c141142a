use std::{fs, path::Path};

use anyhow::Context;

/// Effects that are only done in one file of a crate, between their fault points.
struct Funnel {
    directory: &'static str,
    file: &'static str,
    /// A line that has all the words of one of these does such an effect.
    effects: &'static [&'static [&'static str]],
    instead: &'static str,
}

const FUNNELS: &[Funnel] = &[
    Funnel {
        directory: "crates/store/src",
        file: "database.rs",
        effects: &[&["self.writer"], &[".commit()"]],
        instead: "Store::execute or Store::commit",
    },
    Funnel {
        directory: "crates/k8s/src",
        file: "call.rs",
        effects: &[
            &["once(", ".create("],
            &["once(", ".delete("],
            &["once(", ".patch("],
            &["once(", ".replace("],
        ],
        instead: "Cluster::change",
    },
];

pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for funnel in FUNNELS {
        let mut files = Vec::new();
        crate::files::collect(&root.join(funnel.directory), &mut files)?;
        for file in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("could not read {}", file.display()))?;
            let name = crate::files::shown(&file, root);
            problems.extend(judge(funnel, &name, &text));
        }
    }
    Ok(problems)
}

fn judge(funnel: &Funnel, name: &str, text: &str) -> Vec<String> {
    if name.ends_with(&format!("/{}", funnel.file)) {
        return Vec::new();
    }
    let does = |line: &str| {
        funnel.effects.iter().any(|words| words.iter().all(|word| line.contains(word)))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| does(line));
    lines
        .map(|(index, _)| {
            format!("{name}:{}: an effect without fault points; use {}", index + 1, funnel.instead)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_beside_the_funnel_is_found() {
        let text = "one\n    .execute(&self.writer)\n";
        let found = judge(&FUNNELS[0], "crates/store/src/jobs.rs", text);
        assert_eq!(
            found,
            [
                "crates/store/src/jobs.rs:2: an effect without fault points; use Store::execute or Store::commit"
            ]
        );
        assert_eq!(judge(&FUNNELS[0], "crates/store/src/database.rs", text), [""; 0]);
    }

    #[test]
    fn a_read_needs_no_funnel() {
        let text = "self.once(api.list(&page))\nself.once(api.delete(name, &params))\n";
        assert_eq!(judge(&FUNNELS[1], "crates/k8s/src/watch.rs", text).len(), 1);
    }
}
