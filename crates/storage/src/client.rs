use std::time::Duration;

use flumen_model::{S3Storage, StorageEndpoint};
use object_store::{BackoffConfig, ClientOptions, RetryConfig, aws::AmazonS3Builder};

use crate::Keys;

/// The region that Amazon's own servers take for granted.
const REGION: &str = "us-east-1";
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a server may be silent.
const SILENT_FOR: Duration = Duration::from_secs(15);
const RETRIES: usize = 2;
const RETRY_FOR: Duration = Duration::from_secs(10);

pub(crate) fn region(storage: &S3Storage) -> &str {
    storage.region.as_ref().map_or(REGION, |region| region.as_str())
}

/// How a bucket is reached at this address, or at that of Amazon.
pub(crate) fn builder(
    storage: &S3Storage,
    keys: &Keys,
    (bucket, endpoint): (&str, Option<&StorageEndpoint>),
) -> AmazonS3Builder {
    let path_style = storage.path_style_access;
    let options = ClientOptions::new()
        .with_allow_http(endpoint.is_some_and(StorageEndpoint::is_plain))
        .with_connect_timeout(CONNECT_WITHIN)
        .with_read_timeout(SILENT_FOR)
        // A large file takes as long as it takes.
        .with_timeout_disabled();
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_FOR,
    };
    let builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(region(storage))
        .with_access_key_id(keys.access_key.expose())
        .with_secret_access_key(keys.secret_key.expose())
        .with_virtual_hosted_style_request(!path_style)
        .with_client_options(options)
        .with_retry(retry);
    match endpoint {
        Some(endpoint) => builder.with_endpoint(address(endpoint, bucket, path_style)),
        None => builder,
    }
}

/// The address of the bucket: the library wants the bucket in the host name where it belongs there.
fn address(endpoint: &StorageEndpoint, bucket: &str, path_style: bool) -> String {
    match endpoint.as_str().split_once("://") {
        Some((scheme, host)) if !path_style => format!("{scheme}://{bucket}.{host}"),
        _ => endpoint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_stands_in_the_host_name_unless_in_the_path() {
        let endpoint: StorageEndpoint = "http://minio:9000".parse().unwrap();
        assert_eq!(address(&endpoint, "flink", false), "http://flink.minio:9000");
        assert_eq!(address(&endpoint, "flink", true), "http://minio:9000");
    }
}
