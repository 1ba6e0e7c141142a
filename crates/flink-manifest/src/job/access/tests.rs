use flumen_flink_conf::Layer;
use flumen_model::FlinkMinor;
use serde_json::{Value, json};

use super::*;
use crate::{
    job::{JobPlan, job_deployment, tests::deployment},
    render,
};

fn storage(json: Value) -> flumen_model::Storage {
    let storage: flumen_model::Storage = serde_json::from_value(json).expect("a storage");
    storage.check().expect("a valid storage");
    storage
}

fn minio() -> Value {
    json!({
        "kind": "s3", "place": "s3://flink/prod", "endpoint": "http://minio:9000", "pathStyleAccess": true,
        "credentials": {"secret": "keys", "accessKeyEntry": "id"},
    })
}

fn plan(version: &str, json: Value, built_in: Option<&str>) -> Result<JobPlan, Error> {
    let mut deployment = deployment(version);
    deployment.storage = Storage::of(&storage(json), built_in.map(str::to_owned));
    job_deployment(&deployment)
}

fn option(plan: &JobPlan, key: &str) -> Option<String> {
    plan.spec.configuration.string(key).expect(key)
}

#[test]
fn keys_reach_both_kinds_of_pods_by_a_secret_and_stand_in_no_configuration() {
    for minor in FlinkMinor::SUPPORTED.into_iter().filter(|minor| ENV_FROM_SECRETS.is_in(*minor)) {
        let mut deployment = deployment(&format!("{minor}.0"));
        deployment.storage = Storage::of(&storage(minio()), None);
        let plan = job_deployment(&deployment).unwrap_or_else(|error| panic!("{minor}: {error}"));
        assert_eq!(plan.warnings, [], "{minor}");
        let given = plan.spec.configuration.list_of_maps(SECRET_VARIABLES).expect("a list");
        let variables: Vec<_> =
            given.unwrap_or_default().iter().map(|it| it["env"].clone()).collect();
        assert_eq!(variables, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "{minor}");
        let manifests = render(&plan.spec).expect("manifests");
        let objects = manifests.objects();
        let environment = &objects[0]["spec"]["template"]["spec"]["containers"][0]["env"];
        let of = |name: &str| {
            let all = environment.as_array().expect("variables").iter();
            all.clone().find(|it| it["name"] == name).expect(name).clone()
        };
        assert_eq!(
            of("AWS_ACCESS_KEY_ID")["valueFrom"]["secretKeyRef"],
            json!({"key": "id", "name": "keys"}),
            "{minor}"
        );
        assert!(plan.spec.configuration.string("s3.access-key").expect("readable").is_none());
        assert_eq!(option(&plan, "s3.endpoint").as_deref(), Some("http://minio:9000"), "{minor}");
        assert_eq!(option(&plan, "s3.path.style.access").as_deref(), Some("true"), "{minor}");
    }
    let error = plan("1.11.6", minio(), None).expect_err("no variables").to_string();
    assert!(error.contains("for the keys of its storage"), "{error}");
}

#[test]
fn state_lies_below_the_prefix() {
    let plan = plan("1.20.5", minio(), None).expect("a plan");
    let run = "local/default/word-count/01990000000070008000000000000001";
    assert_eq!(plan.state.checkpoints, Some(format!("s3://flink/prod/checkpoints/{run}")));
    assert_eq!(plan.state.savepoints, Some(format!("s3://flink/prod/savepoints/{run}")));
    assert_eq!(plan.state.high_availability, Some(format!("s3://flink/prod/ha/{run}")));
}

#[test]
fn each_plugin_learns_the_region_in_its_way() {
    let of = |more: Value| {
        let mut all = json!({"kind": "s3", "place": "s3://flink"});
        all.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        plan("1.20.5", all, None).expect("a plan")
    };
    let presto = of(json!({"region": "eu-west-1"}));
    let endpoint = option(&presto, "s3.endpoint");
    assert_eq!(endpoint.as_deref(), Some("https://s3.eu-west-1.amazonaws.com"));
    let china = option(&of(json!({"region": "cn-north-1"})), "s3.endpoint");
    assert_eq!(china.as_deref(), Some("https://s3.cn-north-1.amazonaws.com.cn"));
    let hadoop = of(json!({"region": "eu-west-1", "plugin": "hadoop"}));
    assert_eq!(option(&hadoop, "s3.endpoint.region").as_deref(), Some("eu-west-1"));
    assert_eq!(option(&hadoop, "s3.endpoint"), None);
    assert_eq!(option(&of(json!({})), "s3.endpoint"), None);
}

#[test]
fn what_the_user_gives_is_kept_beside_it() {
    let mut deployment = deployment("1.20.5");
    deployment.storage =
        Storage::of(&storage(minio()), Some("flink-s3-fs-presto-1.20.5.jar".into()));
    deployment.layers.add(
        Layer::Job,
        [
            (SECRET_VARIABLES, "env:AWS_ACCESS_KEY_ID,secret:mine,key:id;env:B,secret:mine,key:b"),
            (ENABLE_PLUGINS[0], "flink-gs-fs-hadoop-1.20.5.jar"),
            ("s3.endpoint", "http://other:9000"),
        ],
    );
    let plan = job_deployment(&deployment).expect("a plan");
    let variables = plan.spec.configuration.list_of_maps(SECRET_VARIABLES).expect("a list");
    let told: Vec<_> = variables
        .unwrap_or_default()
        .iter()
        .map(|it| format!("{}={}/{}", it["env"], it["secret"], it["key"]))
        .collect();
    assert_eq!(
        told,
        ["AWS_ACCESS_KEY_ID=mine/id", "B=mine/b", "AWS_SECRET_ACCESS_KEY=keys/secret-key"]
    );
    let both = "flink-gs-fs-hadoop-1.20.5.jar;flink-s3-fs-presto-1.20.5.jar";
    assert_eq!(option(&plan, ENABLE_PLUGINS[0]).as_deref(), Some(both));
    let one = option(&plan, ENABLE_PLUGINS[1]);
    assert_eq!(one.as_deref(), Some("flink-s3-fs-presto-1.20.5.jar"));
    assert_eq!(option(&plan, "s3.endpoint").as_deref(), Some("http://other:9000"));
}

#[test]
fn each_kind_has_its_options_and_its_plugin() {
    let oss = json!({
        "kind": "oss", "place": "oss://flink/a", "endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
        "credentials": {"secret": "keys"},
    });
    let hdfs = json!({"kind": "hdfs", "place": "hdfs://nn:8020/a", "hadoopConfigMap": "hadoop"});
    let claim = json!({"kind": "file", "place": "/mnt/flink", "claim": "shared"});
    let plugin =
        |json: &Value| StoragePlugin::of(&storage(json.clone())).map(StoragePlugin::artifact);
    assert_eq!(plugin(&minio()), Some("flink-s3-fs-presto"));
    assert_eq!(plugin(&oss), Some("flink-oss-fs-hadoop"));
    assert_eq!((plugin(&hdfs), plugin(&claim)), (None, None));
    let planned = plan("1.20.5", oss, None).expect("a plan");
    let endpoint = option(&planned, "fs.oss.endpoint");
    assert_eq!(endpoint.as_deref(), Some("https://oss-cn-hangzhou.aliyuncs.com"));
    let provider = option(&planned, "fs.oss.credentials.provider").unwrap_or_default();
    assert!(provider.ends_with("EnvironmentVariableCredentialsProvider"), "{provider}");
    let planned = plan("1.20.5", hdfs, None).expect("a plan");
    assert_eq!(option(&planned, HADOOP_CONFIG_MAP).as_deref(), Some("hadoop"));
    let planned = plan("1.20.5", claim, None).expect("a plan");
    let objects = render(&planned.spec).expect("manifests").objects();
    let pod = &objects[0]["spec"]["template"]["spec"];
    assert!(pod["volumes"].to_string().contains(r#""claimName":"shared""#), "{pod}");
    assert!(pod["containers"][0]["volumeMounts"].to_string().contains("/mnt/flink"), "{pod}");
    let state = planned.state.checkpoints.unwrap_or_default();
    assert!(state.starts_with("file:///mnt/flink/checkpoints/"), "{state}");
}

#[test]
fn a_plugin_is_known_by_the_name_of_its_jar() {
    let plugin = StoragePlugin::of(&storage(minio())).expect("a plugin");
    assert_eq!(plugin.jar("1.20.5".parse().expect("a version")), "flink-s3-fs-presto-1.20.5.jar");
    assert_eq!(plugin.coordinates("1.20.5"), "org.apache.flink:flink-s3-fs-presto:1.20.5");
    assert!(
        plugin.is_jar("flink-s3-fs-presto-1.20.0.jar")
            && !plugin.is_jar("flink-s3-fs-hadoop-1.jar")
    );
}
