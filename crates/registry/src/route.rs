//! Paths below `/v2/`. Repository names have slashes in them, so a path is read from its end.

use uuid::Uuid;

use crate::{digest::Digest, name, refusal::Refusal};

/// What a path means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Root,
    Catalog,
    Tags { repository: String },
    Blob { repository: String, digest: Digest },
    Uploads { repository: String },
    Upload { repository: String, id: Uuid },
    Manifest { repository: String, name: ManifestName },
    Referrers { repository: String, subject: Digest },
}

/// What names a manifest within a repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ManifestName {
    Tag(String),
    Digest(Digest),
}

impl Route {
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let path = path.trim_end_matches('/');
        match path {
            "" => return Ok(Self::Root),
            "_catalog" => return Ok(Self::Catalog),
            _ => {}
        }
        if let Some(name) = path.strip_suffix("/tags/list") {
            return Ok(Self::Tags { repository: repository(name)? });
        }
        if let Some(name) = path.strip_suffix("/blobs/uploads") {
            return Ok(Self::Uploads { repository: repository(name)? });
        }
        let (rest, last) = path.rsplit_once('/').ok_or_else(Refusal::not_found)?;
        if let Some(name) = rest.strip_suffix("/blobs/uploads") {
            let id = last.parse().map_err(|_| Refusal::upload_unknown())?;
            return Ok(Self::Upload { repository: repository(name)?, id });
        }
        if let Some(name) = rest.strip_suffix("/blobs") {
            return Ok(Self::Blob { repository: repository(name)?, digest: digest(last)? });
        }
        if let Some(name) = rest.strip_suffix("/referrers") {
            return Ok(Self::Referrers { repository: repository(name)?, subject: digest(last)? });
        }
        if let Some(name) = rest.strip_suffix("/manifests") {
            return Ok(Self::Manifest {
                repository: repository(name)?,
                name: manifest_name(last)?,
            });
        }
        Err(Refusal::not_found())
    }
}

fn repository(name: &str) -> Result<String, Refusal> {
    if name::is_repository(name) { Ok(name.to_owned()) } else { Err(Refusal::name_invalid(name)) }
}

pub(crate) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|()| Refusal::digest_invalid(format!("{text:?} is no sha256 digest")))
}

fn manifest_name(text: &str) -> Result<ManifestName, Refusal> {
    if text.contains(':') {
        return digest(text).map(ManifestName::Digest);
    }
    if name::is_tag(text) {
        Ok(ManifestName::Tag(text.to_owned()))
    } else {
        Err(Refusal::manifest_invalid(format!("{text:?} is no tag")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_may_be_called_like_a_part_of_the_path() {
        let repository = "blobs/uploads/tags/manifests".to_owned();
        assert_eq!(
            Route::parse("blobs/uploads/tags/manifests/tags/list").unwrap(),
            Route::Tags { repository: repository.clone() }
        );
        assert_eq!(
            Route::parse("blobs/uploads/tags/manifests/manifests/v1").unwrap(),
            Route::Manifest { repository, name: ManifestName::Tag("v1".into()) }
        );
    }

    #[test]
    fn paths_with_bad_names_say_which() {
        for (path, code) in [
            ("a/../b/tags/list", "NAME_INVALID"),
            ("A/blobs/uploads/", "NAME_INVALID"),
            ("a/blobs/sha256:12", "DIGEST_INVALID"),
            ("a/blobs/uploads/12", "BLOB_UPLOAD_UNKNOWN"),
            ("a/manifests/..", "MANIFEST_INVALID"),
            ("a/nothing/x", "UNSUPPORTED"),
        ] {
            let refusal = Route::parse(path).expect_err(path);
            assert!(format!("{refusal:?}").contains(code), "{path}: {refusal:?}");
        }
    }
}
