//! The client of a bucket, against a server that `scripts/setup tests` installs and against answers made up.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod faults;
mod server;

use flumen_model::{S3Storage, Secret, Storage};
use flumen_storage::{Bucket, Keys};

fn keys(access_key: &str, secret_key: &str) -> Keys {
    Keys {
        access_key: Secret::new(access_key.to_owned()),
        secret_key: Secret::new(secret_key.to_owned()),
    }
}

fn storage(bucket: &str, endpoint: &str) -> S3Storage {
    let text = format!(
        r#"{{"kind": "s3", "place": "s3://{bucket}/prod", "endpoint": "{endpoint}", "pathStyleAccess": true}}"#
    );
    let Storage::S3(storage) = serde_json::from_str(&text).unwrap() else {
        unreachable!("its kind is s3");
    };
    storage
}

fn bucket(storage: &S3Storage, keys: &Keys) -> Bucket {
    Bucket::new(storage, keys, None).expect("a bucket")
}
