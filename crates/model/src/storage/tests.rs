use super::*;

fn storage(json: serde_json::Value) -> Result<Storage, String> {
    let storage: Storage = serde_json::from_value(json).map_err(|error| error.to_string())?;
    storage.check().map_err(|error| error.to_string())?;
    Ok(storage)
}

#[test]
fn a_place_is_written_in_one_way() {
    for (text, written) in [
        ("s3://bucket", "s3://bucket"),
        ("s3://my-bucket.x/flink/prod/", "s3://my-bucket.x/flink/prod"),
        ("oss://bucket/_entropy_/a", "oss://bucket/_entropy_/a"),
        ("hdfs://name-node:8020/flumen", "hdfs://name-node:8020/flumen"),
        ("hdfs:///flumen", "hdfs:///flumen"),
        ("/mnt/flink", "file:///mnt/flink"),
        ("file:/mnt/flink", "file:///mnt/flink"),
        ("file:///mnt/flink/", "file:///mnt/flink"),
    ] {
        let place: StoragePlace = text.parse().expect(text);
        assert_eq!(place.to_string(), written);
        assert_eq!(written.parse::<StoragePlace>().as_ref(), Ok(&place));
    }
}

#[test]
fn what_is_no_place_is_refused_with_the_reason() {
    for (text, reason) in [
        ("s3://bucket/a/../b", "no part of the path is . or .."),
        ("s3://bucket/./b", "no part of the path is . or .."),
        ("file:///a/../etc", "no part of the path is . or .."),
        ("s3://bucket//a", "nothing between two slashes"),
        ("s3://bucket/a b", "letters, digits and"),
        ("s3://bucket/a%2e%2e", "letters, digits and"),
        ("s3://", "3 to 63"),
        ("s3://Bucket/a", "3 to 63"),
        ("s3://my_bucket/a", "3 to 63"),
        ("s3://-bucket/a", "3 to 63"),
        ("s3a://bucket/a", "write s3://"),
        ("gs://bucket/a", "expected s3://BUCKET"),
        ("bucket/a", "expected s3://BUCKET"),
        ("", "expected s3://BUCKET"),
        ("file://host/a", "a directory has no host"),
        ("/", "the root directory is no storage"),
        ("hdfs://host:0/a", "HOST:PORT"),
        ("hdfs://a b/a", "HOST:PORT"),
    ] {
        let error = text.parse::<StoragePlace>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn what_is_secret_is_refused_and_not_repeated() {
    for text in [
        "s3://AKIA:hunter2@bucket/a",
        "s3://hunter2@bucket/a",
        "s3:///AKIA:hunter2@bucket/a",
        "s3://bucket/a?secretKey=hunter2",
        "s3://bucket/a#hunter2",
        "hdfs://me:hunter2@host/a",
        "ftp://me:hunter2@host/a?x=hunter2",
    ] {
        let error = text.parse::<StoragePlace>().expect_err(text).to_string();
        assert!(!error.contains("hunter2") && !error.contains("AKIA"), "{error}");
    }
    for text in ["https://me:hunter2@host", "https://host?key=hunter2", "me:hunter2@host"] {
        let error = text.parse::<StorageEndpoint>().expect_err(text).to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_endpoint_is_a_server_and_nothing_else() {
    for text in ["https://s3.example.com", "http://127.0.0.1:9000", "http://[::1]:9000"] {
        assert_eq!(text.parse::<StorageEndpoint>().expect(text).as_str(), text);
    }
    for text in
        ["s3.example.com", "https://", "https://h/", "https://h/b", "http://h:x", "http://h:70000"]
    {
        assert!(text.parse::<StorageEndpoint>().is_err(), "{text}");
    }
}

#[test]
fn a_storage_says_what_its_fields_cannot_be_together() {
    let s3 = |more: serde_json::Value| {
        let mut all = serde_json::json!({"kind": "s3", "place": "s3://bucket/a"});
        all.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        storage(all)
    };
    for (more, reason) in [
        (serde_json::json!({"place": "oss://bucket/a"}), "lies at s3://"),
        (serde_json::json!({"place": "s3://my.bucket/a"}), "pathStyleAccess: true"),
        (
            serde_json::json!({"endpoint": "https://minio.example", "region": "eu-1"}),
            "plugin: hadoop",
        ),
        (serde_json::json!({"pathStyle": true}), "pathStyle"),
        (serde_json::json!({"plugin": "native"}), "native"),
        (serde_json::json!({"credentials": {"secret": "No_Name"}}), "No_Name"),
        (serde_json::json!({"credentials": {"secret": "a", "accessKeyEntry": "a/b"}}), "a/b"),
    ] {
        let error = s3(more.clone()).expect_err(&more.to_string());
        assert!(error.contains(reason), "{more}: {error}");
    }
    let whole = s3(serde_json::json!({"credentials": {"secret": "keys"}})).expect("valid");
    let keys = whole.credentials().expect("credentials");
    assert_eq!(keys.access_key_entry.as_str(), "access-key");
    assert_eq!(keys.secret_key_entry.as_str(), "secret-key");
    let hdfs = serde_json::json!({"kind": "hdfs", "place": "hdfs:///a"});
    assert!(storage(hdfs).expect_err("no host").contains("hadoopConfigMap"));
    let relative = serde_json::json!({"kind": "hostPath", "hostPath": "a", "mountPath": "/b"});
    assert!(storage(relative).expect_err("relative").contains("absolute path"));
}

#[test]
fn what_earlier_versions_wrote_is_read() {
    let text = r#"{"kind":"host-path","hostPath":"/a","mountPath":"/b"}"#;
    let storage: Storage = serde_json::from_str(text).expect("readable");
    assert_eq!(storage.base(), "file:///b");
}
