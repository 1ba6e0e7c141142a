use super::{
    FileStorage, HdfsStorage, OssStorage, S3Plugin, S3Storage, Storage, StorageKind, StoragePlace,
};
use crate::InvalidValue;

impl Storage {
    /// Refuses what its fields say together and cannot be.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), InvalidValue> {
        match self {
            Self::HostPath { host_path, mount_path } => {
                directory("hostPath of a storage", host_path)?;
                directory("mountPath of a storage", mount_path)
            }
            Self::File(FileStorage { place, .. }) => is_in(place, StorageKind::File),
            Self::S3(storage) => s3(storage),
            Self::Oss(OssStorage { place, .. }) => is_in(place, StorageKind::Oss),
            Self::Hdfs(HdfsStorage { place, hadoop_config_map }) => {
                is_in(place, StorageKind::Hdfs)?;
                if place.bucket().is_empty() && hadoop_config_map.is_none() {
                    let allowed = "without a host, hadoopConfigMap has to name the ConfigMap with core-site.xml, which says which it is";
                    return Err(refuse(place, allowed));
                }
                Ok(())
            }
        }
    }
}

fn s3(storage: &S3Storage) -> Result<(), InvalidValue> {
    let S3Storage { place, endpoint, region, path_style_access, plugin, .. } = storage;
    is_in(place, StorageKind::S3)?;
    let is_secure = endpoint.as_ref().is_none_or(|endpoint| !endpoint.is_plain());
    if place.bucket().contains('.') && is_secure && !path_style_access {
        let allowed = "the certificate of a server is not for a host name that a bucket with a '.' makes; set pathStyleAccess: true";
        return Err(refuse(place, allowed));
    }
    if let (Some(region), Some(_), S3Plugin::Presto) = (region, endpoint, plugin)
        && region.as_str() != "us-east-1"
    {
        let allowed = "with an endpoint of its own, Flink's presto plugin takes the region from the endpoint's host name; leave the region out, or set plugin: hadoop";
        return Err(InvalidValue::new("region", region.as_str(), allowed));
    }
    Ok(())
}

fn is_in(place: &StoragePlace, kind: StorageKind) -> Result<(), InvalidValue> {
    if place.kind() == kind {
        return Ok(());
    }
    Err(refuse(place, &format!("a storage of this kind lies at {}://", kind.scheme())))
}

fn refuse(place: &StoragePlace, allowed: &str) -> InvalidValue {
    InvalidValue::new("place of a storage", place.to_string(), allowed)
}

fn directory(what: &'static str, path: &str) -> Result<(), InvalidValue> {
    let mut parts = path.split('/').skip(1);
    if path.starts_with('/') && path != "/" && parts.all(|part| part != "." && part != "..") {
        return Ok(());
    }
    Err(InvalidValue::new(what, path, "expected an absolute path other than /, without . and .."))
}
