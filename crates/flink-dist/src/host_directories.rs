//! What of this machine a base image leans on.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

/// The image label that lists, with commas, the absolute paths of the machine that the local cluster lends to
/// containers of the image, read-only.
pub const HOST_DIRECTORIES_LABEL: &str = "dev.flumen.local.host-directories";

/// Programs, libraries, the certificates that Java and others trust, and what Debian's Maven is configured by, which builds
/// projects.
const BASE: [&str; 12] = [
    "/bin",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/maven",
    "/etc/pki",
    "/etc/ssl",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr",
];
/// Deep enough for every link of a Java home; its licence texts link among themselves only.
const DEPTH: usize = 5;

/// The directories of this machine that bash, the usual tools and the Java in `java_home` need.
pub(crate) fn host_directories(java_home: &Path) -> Vec<String> {
    let mut found: BTreeSet<PathBuf> =
        BASE.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
    if !is_covered(&found, java_home) {
        found.insert(java_home.to_owned());
    }
    // Packages keep the configuration of a Java in /etc and link to it.
    let mut to_visit = vec![(java_home.to_owned(), 0)];
    while let Some((directory, depth)) = to_visit.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_symlink() {
                if let Ok(target) = fs::canonicalize(&path)
                    && !is_covered(&found, &target)
                {
                    found.extend(lender(&target));
                }
            } else if path.is_dir() && depth < DEPTH {
                to_visit.push((path, depth + 1));
            }
        }
    }
    found
        .iter()
        .filter_map(|path| path.to_str())
        .filter(|path| !path.contains(','))
        .map(str::to_owned)
        .collect()
}

fn is_covered(found: &BTreeSet<PathBuf>, path: &Path) -> bool {
    found.iter().any(|directory| path.starts_with(directory))
}

/// The directory to lend for a file: in /etc the one right below it, elsewhere the file's own.
fn lender(target: &Path) -> Option<PathBuf> {
    let mut parts = target.components();
    match (parts.next(), parts.next(), parts.next()) {
        (
            Some(Component::RootDir),
            Some(Component::Normal(etc)),
            Some(Component::Normal(first)),
        ) if etc == "etc" => Some(Path::new("/etc").join(first)),
        _ => target.parent().filter(|parent| *parent != Path::new("/")).map(Path::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_java_outside_of_usr_is_lent_with_what_it_links_to() {
        let machine = tempfile::tempdir().unwrap();
        let root = machine.path().canonicalize().unwrap();
        let (home, elsewhere) = (root.join("jdk"), root.join("configuration"));
        fs::create_dir_all(home.join("lib/security")).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("cacerts"), "").unwrap();
        std::os::unix::fs::symlink(elsewhere.join("cacerts"), home.join("lib/security/cacerts"))
            .unwrap();
        let found = host_directories(&home);
        for expected in [home.as_path(), &elsewhere, Path::new("/usr")] {
            assert!(
                found.iter().any(|path| Path::new(path) == expected),
                "{expected:?} in {found:?}"
            );
        }
        assert!(!found.iter().any(|path| path == "/etc" || path == "/"), "{found:?}");
    }

    #[test]
    fn of_etc_only_the_directory_that_is_needed_is_lent() {
        assert_eq!(
            lender(Path::new("/etc/java-17-openjdk/security/java.policy")),
            Some("/etc/java-17-openjdk".into())
        );
        assert_eq!(lender(Path::new("/srv/java/cacerts")), Some("/srv/java".into()));
        assert_eq!(lender(Path::new("/file")), None);
    }
}
