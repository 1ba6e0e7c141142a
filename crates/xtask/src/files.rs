use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Lines of a source file without its tests.
const BUDGET: usize = 400;

pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let crates = root.join("crates");
    for entry in
        fs::read_dir(&crates).with_context(|| format!("could not read {}", crates.display()))?
    {
        let source = entry?.path().join("src");
        let mut files = Vec::new();
        collect(&source, &mut files)?;
        let mut listed = BTreeSet::new();
        for file in &files {
            let text = fs::read_to_string(file)
                .with_context(|| format!("could not read {}", file.display()))?;
            let name = shown(file, root);
            let lines = lines_without_tests(&text);
            if lines > BUDGET && !name.contains("/tests") {
                problems.push(format!("{name}: {lines} lines, the budget is {BUDGET}: split it"));
            }
            if file.ends_with("mod.rs") {
                problems.push(format!("{name}: name the file after the module instead of mod.rs"));
            }
            listed.extend(modules_of(file, &text));
        }
        let orphans = files.iter().filter(|file| !is_root(file) && !listed.contains(*file));
        problems.extend(orphans.map(|file| {
            format!("{}: no module lists it, so it is never compiled", shown(file, root))
        }));
    }
    problems.sort();
    Ok(problems)
}

pub(crate) fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

pub(crate) fn shown(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

fn is_root(file: &Path) -> bool {
    let in_bin = |directory: &Path| directory.parent().is_some_and(|it| it.ends_with("src/bin"));
    let is_program = file.ends_with("main.rs") && file.parent().is_some_and(in_bin);
    in_bin(file) || is_program || file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")
}

fn lines_without_tests(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().count()
}

/// The files that the `mod name;` lines of this file mean.
fn modules_of(file: &Path, text: &str) -> Vec<PathBuf> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let parent = file.parent().unwrap_or(Path::new(""));
    let folder = if is_root(file) || stem == "mod" { parent.to_owned() } else { parent.join(stem) };
    text.lines()
        .filter_map(|line| {
            let line = line.trim();
            let line = line
                .strip_prefix("pub ")
                .or_else(|| line.strip_prefix("pub(crate) "))
                .unwrap_or(line);
            let line = line.strip_prefix("pub(super) ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .map(|name| folder.join(format!("{name}.rs")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_end_of_a_file_do_not_count() {
        assert_eq!(lines_without_tests("a\nb\n#[cfg(test)]\nmod tests {\n    x\n}\n"), 2);
    }

    #[test]
    fn a_module_lies_in_the_folder_of_its_parent() {
        let of = |file: &str| modules_of(Path::new(file), "pub(crate) mod a;\nmod b;\nmod c {}\n");
        assert_eq!(of("src/lib.rs"), [PathBuf::from("src/a.rs"), PathBuf::from("src/b.rs")]);
        let program = of("src/bin/x/main.rs");
        assert_eq!(program, [PathBuf::from("src/bin/x/a.rs"), PathBuf::from("src/bin/x/b.rs")]);
        assert_eq!(of("src/x.rs"), [PathBuf::from("src/x/a.rs"), PathBuf::from("src/x/b.rs")]);
    }
}
