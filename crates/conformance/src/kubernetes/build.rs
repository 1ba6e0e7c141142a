//! Builds the programs of the control plane, once for each state of `control-plane`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

/// The oldest Go that reads the module.
const OLDEST_GO: (u32, u32) = (1, 25);
const PROGRAMS: [(&str, &str); 3] = [
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
];

/// Builds what is missing in the cache; answers with the directory of the programs.
///
/// # Errors
/// If there is no Go, it is too old, or it cannot build a program.
pub fn build(cache: &Path, mut tell: impl FnMut(&str)) -> Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("control-plane");
    let go = go_version()?;
    let mut hash = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        let file = module.join(file);
        hash.update(std::fs::read(&file).with_context(|| file.display().to_string())?);
    }
    hash.update(&go);
    let mut key = String::new();
    for byte in hash.finalize().iter().take(8) {
        write!(key, "{byte:02x}")?;
    }
    let programs = cache.join("kubernetes").join(format!("{}-{key}", super::VERSION));
    std::fs::create_dir_all(&programs)
        .with_context(|| format!("could not make {}", programs.display()))?;
    for (name, package) in PROGRAMS {
        if programs.join(name).exists() {
            continue;
        }
        tell(&format!("Building {name} with {go}, which takes minutes"));
        // Under another name first, so that what is there under its own is whole.
        let part = programs.join(format!("{name}.part"));
        build_one(&module, package, &part)?;
        std::fs::rename(&part, programs.join(name)).context("could not keep the program")?;
    }
    Ok(programs)
}

fn build_one(module: &Path, package: &str, output: &Path) -> Result<()> {
    let component = "k8s.io/component-base/version";
    let numbers = super::VERSION.trim_start_matches('v').split('.').collect::<Vec<_>>();
    let (major, minor) = (numbers.first().unwrap_or(&""), numbers.get(1).unwrap_or(&""));
    let flags = format!(
        "-s -w -X {component}.gitVersion={} -X {component}.gitMajor={major} -X {component}.gitMinor={minor}",
        super::VERSION
    );
    let status = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(output)
        .arg(package)
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        // Directories of the module cache that can be removed again.
        .env("GOFLAGS", "-modcacherw -buildvcs=false")
        .status()
        .context("could not run go build")?;
    ensure!(status.success(), "go could not build {package}");
    Ok(())
}

/// Such as `go1.26.8`.
fn go_version() -> Result<String> {
    let wanted = format!("Go {}.{} or later", OLDEST_GO.0, OLDEST_GO.1);
    let Ok(output) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        bail!("there is no Go here; the real control plane is built with {wanted}");
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let found = numbers(&version);
    ensure!(
        found.is_some_and(|found| found >= OLDEST_GO),
        "the Go here is \"{version}\"; the real control plane is built with {wanted}"
    );
    Ok(version)
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix("go")?.split(['.', 'r', 'b', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn a_version_of_go_is_read() {
        assert_eq!(numbers("go1.26.8"), Some((1, 26)));
        assert_eq!(numbers("go1.25rc1"), Some((1, 25)));
        assert_eq!(numbers("devel +abc"), None);
    }
}
