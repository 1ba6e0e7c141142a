use std::{io, path::Path};

use super::Finding;

const GIB: u64 = 1 << 30;

pub(super) fn memory() -> Finding {
    const NAME: &str = "memory";
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text.lines().find_map(|line| {
        let kibibytes: u64 =
            line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    });
    match available {
        Some(bytes) if bytes < 2 * GIB => Finding::warn(
            NAME,
            format!("{} free", gibibytes(bytes)),
            "a Flink job with two TaskManagers takes about 3 GiB as it comes; give its pods less, or the machine more",
        ),
        Some(bytes) => Finding::ok(NAME, format!("{} free", gibibytes(bytes))),
        None => Finding::warn(NAME, "how much is free is not known", "see /proc/meminfo"),
    }
}

pub(super) fn disk(directory: &Path) -> Finding {
    const NAME: &str = "disk";
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(existing) {
        Ok(space) => {
            let free = space.f_bavail * space.f_frsize;
            let detail = format!("{} free at {}", gibibytes(free), existing.display());
            let remedy = "a Flink version takes about 1 GiB; make room, or choose another place with --data-directory";
            match free {
                free if free < GIB => Finding::fail(NAME, detail, remedy),
                free if free < 5 * GIB => Finding::warn(NAME, detail, remedy),
                _ => Finding::ok(NAME, detail),
            }
        }
        Err(error) => Finding::warn(
            NAME,
            format!("{} cannot be looked at: {error}", existing.display()),
            "see df",
        ),
    }
}

pub(super) fn data_directory(directory: &Path) -> Finding {
    const NAME: &str = "data directory";
    let remedy = "choose another one with --data-directory, or change its owner";
    match std::fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok(NAME, format!("{} will be made", directory.display()))
        }
        Err(error) => Finding::fail(NAME, format!("{}: {error}", directory.display()), remedy),
        Ok(found) if !found.is_dir() => {
            Finding::fail(NAME, format!("{} is no directory", directory.display()), remedy)
        }
        Ok(_) => match rustix::fs::access(directory, rustix::fs::Access::WRITE_OK) {
            Ok(()) => Finding::ok(NAME, directory.display().to_string()),
            Err(error) => Finding::fail(
                NAME,
                format!("{} cannot be written: {error}", directory.display()),
                remedy,
            ),
        },
    }
}

fn gibibytes(bytes: u64) -> String {
    let tenths = bytes / (GIB / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}
