//! Layers: what is in them, and writing them down so that the same content always gives the same bytes.

mod write;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use flumen_model::Digest;
use oci_spec::image::MediaType;

use crate::Error;

/// A layer that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The file.
    pub path: PathBuf,
    /// How it is compressed, as manifests say it.
    pub media_type: MediaType,
    /// The digest of the file.
    pub digest: Digest,
    /// The digest of the archive before compression, which the image configuration names.
    pub diff_id: Digest,
    /// The size of the file in bytes.
    pub size: u64,
}

/// How a layer is compressed. The bytes are the same each time for one version of Flumen, not across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// zstd, level 1: for jars and other content that is compressed already, at more than ten times gzip's speed.
    Zstd,
    /// gzip, level 6: what every container engine can read.
    Gzip,
}

/// What stands at a path of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The content of a file of this machine, read when the layer is written.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
    /// A directory. Parents need no entry of their own; those that stand in the base image stay as they are.
    Directory,
    /// A symbolic link to this path.
    Symlink(String),
}

/// Who owns an entry and who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits, for example `0o644`.
    pub mode: u32,
    /// The owner.
    pub user: u32,
    /// The owning group.
    pub group: u32,
}

impl Attributes {
    /// Permission bits `mode`, owned by root.
    pub const fn mode(mode: u32) -> Self {
        Self { mode, user: 0, group: 0 }
    }
}

/// What a name begins with that stands for a file taken away.
const REMOVAL: &str = ".wh.";

/// Collects the content of a layer.
#[derive(Debug, Default)]
pub struct LayerBuilder {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    content: Content,
    attributes: Attributes,
}

impl LayerBuilder {
    /// A layer with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `content` at `path`, which is seen from the root of the image.
    ///
    /// # Errors
    /// `Invalid` if the path leaves the image, is the root or is taken.
    pub fn add(
        &mut self,
        path: &str,
        content: Content,
        attributes: Attributes,
    ) -> Result<&mut Self, Error> {
        let refuse = |problem| Error::PlaceInLayer { path: path.to_owned(), problem };
        let name = path.trim_start_matches('/').trim_end_matches('/');
        if name.is_empty() {
            return Err(refuse("it is the root"));
        }
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) || name.contains('\0') {
            return Err(refuse("it has an empty part, . or .. in it"));
        }
        if name.split('/').any(|part| part.starts_with(REMOVAL)) {
            return Err(refuse(
                "a name that begins with .wh. would delete a file of the base image",
            ));
        }
        if self.entries.insert(name.to_owned(), Entry { content, attributes }).is_some() {
            return Err(refuse("two things would stand there"));
        }
        Ok(self)
    }

    /// Puts everything below the directory `source` below `path`. Files that somebody may execute get mode 0755,
    /// others 0644, directories 0755; everything belongs to root. Symbolic links stay links, and may not lead out of
    /// `source`.
    ///
    /// # Errors
    /// As [`LayerBuilder::add`]; `Invalid` if a link leads out; `NotFound` or `Unavailable` if the directory cannot be read.
    pub fn add_tree(&mut self, path: &str, source: &Path) -> Result<&mut Self, Error> {
        let mut to_visit = vec![(path.trim_end_matches('/').to_owned(), source.to_owned(), 0)];
        while let Some((path, source, depth)) = to_visit.pop() {
            let read_error = |error| Error::ReadFile { path: source.clone(), source: error };
            for entry in fs::read_dir(&source).map_err(read_error)? {
                let entry = entry.map_err(read_error)?;
                let name = entry.file_name().into_string().map_err(|name| Error::PlaceInLayer {
                    path: format!("{path}/{}", name.to_string_lossy()),
                    problem: "it is not UTF-8",
                })?;
                let (inside, outside) = (format!("{path}/{name}"), entry.path());
                let (content, mode) = look_at(&outside)?;
                match &content {
                    Content::Directory => {
                        to_visit.push((inside.clone(), outside, depth + 1));
                    }
                    Content::Symlink(target) if !stays_inside(target, depth) => {
                        return Err(Error::LinkLeaves { link: outside, target: target.clone() });
                    }
                    _ => {}
                }
                self.add(&inside, content, Attributes::mode(mode))?;
            }
        }
        Ok(self)
    }

    /// Puts the file `source` at `path`, or into `path` if that ends with a `/`, or everything below the directory
    /// `source` below `path`, as [`LayerBuilder::add_tree`] does. `source` itself may be a symbolic link.
    ///
    /// # Errors
    /// As [`LayerBuilder::add_tree`].
    pub fn add_path(&mut self, path: &str, source: &Path) -> Result<&mut Self, Error> {
        let read_error = |error| Error::ReadFile { path: source.to_owned(), source: error };
        let metadata = fs::metadata(source).map_err(read_error)?;
        if metadata.is_dir() {
            return self.add_tree(path, source);
        }
        if !metadata.is_file() {
            return Err(read_error(no_content()));
        }
        let content = Content::File(source.to_owned());
        let attributes = Attributes::mode(mode_of_file(&metadata));
        if !path.ends_with('/') {
            return self.add(path, content, attributes);
        }
        let name = source.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::PlaceInLayer {
            path: format!("{path}{}", source.display()),
            problem: "the file has no name in UTF-8",
        })?;
        self.add(&format!("{path}{name}"), content, attributes)
    }

    /// The files that will be read when the layer is written: `(path in the image, file)`.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.entries.iter().filter_map(|(path, entry)| match &entry.content {
            Content::File(source) => Some((path.as_str(), source.as_path())),
            _ => None,
        })
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes the layer to the file `path`, which appears when it is complete. Memory stays bounded whatever the size.
    ///
    /// # Errors
    /// `NotFound` if a file is missing, `Unavailable` if it cannot be read, changes meanwhile or the disk is full.
    pub async fn write(self, compression: Compression, path: PathBuf) -> Result<Layer, Error> {
        tokio::task::spawn_blocking(move || write::write(&self.entries, compression, path))
            .await
            .map_err(|_| Error::Interrupted { step: "writing a layer" })?
    }
}

/// Whether a link that stands `depth` directories below the top of a tree leads to something within the tree. A way
/// up after a way down is not followed: what is down may be a link itself.
fn stays_inside(target: &str, depth: usize) -> bool {
    let mut parts = target.split('/').filter(|part| !matches!(*part, "" | ".")).peekable();
    let mut up = 0;
    while parts.next_if_eq(&"..").is_some() {
        up += 1;
    }
    !target.starts_with('/') && up <= depth && parts.all(|part| part != "..")
}

fn look_at(path: &Path) -> Result<(Content, u32), Error> {
    let read_error = |source| Error::ReadFile { path: path.to_owned(), source };
    let metadata = fs::symlink_metadata(path).map_err(read_error)?;
    if metadata.is_dir() {
        Ok((Content::Directory, 0o755))
    } else if metadata.is_symlink() {
        let target = fs::read_link(path).map_err(read_error)?;
        let target = target.into_os_string().into_string().map_err(|_| Error::PlaceInLayer {
            path: path.display().to_string(),
            problem: "the link's target is not UTF-8",
        })?;
        Ok((Content::Symlink(target), 0o777))
    } else if metadata.is_file() {
        Ok((Content::File(path.to_owned()), mode_of_file(&metadata)))
    } else {
        Err(read_error(no_content()))
    }
}

fn mode_of_file(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 }
}

fn no_content() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is neither file, directory nor link")
}
