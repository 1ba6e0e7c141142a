//! Paths of the host.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::HostPathVolumeSource;

use super::{
    Error,
    write::{Owner, directories},
};

/// Checks the path against its type and makes what may be made; it then belongs to the root of the pods.
pub(super) fn check(
    volume: &str,
    source: &HostPathVolumeSource,
    owner: Owner,
) -> Result<(), Error> {
    let path = Path::new(&source.path);
    let wrong =
        |expected| Error::HostPath { volume: volume.to_owned(), path: path.to_owned(), expected };
    let write_error =
        |source| Error::Write { volume: volume.to_owned(), path: PathBuf::from(path), source };
    let found = fs::metadata(path).ok();
    let is = |test: fn(&fs::FileType) -> bool| {
        found.as_ref().is_some_and(|found| test(&found.file_type()))
    };
    match source.type_.as_deref().unwrap_or_default() {
        // Nothing is checked, and container engines make a directory of what is missing.
        "" if found.is_some() => Ok(()),
        "" => directories(path, owner).map_err(write_error),
        "DirectoryOrCreate" => match found {
            Some(found) if !found.is_dir() => Err(wrong("directory")),
            Some(_) => Ok(()),
            None => directories(path, owner).map_err(write_error),
        },
        "FileOrCreate" => match found {
            Some(found) if !found.is_file() => Err(wrong("file")),
            Some(_) => Ok(()),
            None => {
                let made = fs::File::create_new(path).map_err(write_error)?;
                // Whatever umask the kubelet has.
                made.set_permissions(fs::Permissions::from_mode(0o644)).map_err(write_error)?;
                owner.take(path).map_err(write_error)
            }
        },
        "Directory" if !is(fs::FileType::is_dir) => Err(wrong("directory")),
        "File" if !is(fs::FileType::is_file) => Err(wrong("file")),
        "Socket" if !is(FileTypeExt::is_socket) => Err(wrong("socket file")),
        "CharDevice" if !is(FileTypeExt::is_char_device) => Err(wrong("character device")),
        "BlockDevice" if !is(FileTypeExt::is_block_device) => Err(wrong("block device")),
        _ => Ok(()),
    }
}
