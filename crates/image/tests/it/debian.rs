//! The client against the registry that Debian packages.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use flumen_image::{
    Append, Attributes, Build, Client, Compression, Configuration, Content, Credential, Layer,
    LayerBuilder, Progress, Reference, Settings,
};
use flumen_model::Kind;

use crate::{
    network::{Cut, Line},
    push::noise,
    support::{Workshop, client, settings},
};

/// The user ann with the password secret, as `htpasswd -B` writes it.
const USERS: &str = "ann:$2b$04$I4ico1Nmp5a2HnjrXd3G2OMRQwImQLIxC9RhI/27zja36Jcjc5BMO\n";

/// A `docker-registry` of its own for each test.
struct DockerRegistry {
    host: String,
    process: Child,
    _directory: tempfile::TempDir,
}

impl DockerRegistry {
    /// `more` is added to its configuration.
    fn start(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        fs::write(path("users"), USERS).unwrap();
        let more = more.replace("USERS", &path("users"));
        let data = path("data");
        let configuration = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {data}\n{more}\nhttp:\n  addr: 127.0.0.1:0\n"
        );
        fs::write(path("config.yml"), configuration).unwrap();
        let mut process = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry must be installed: `make setup` sees to it");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = log.find_map(|line| {
            let line = line.unwrap();
            let (_, host) = line.split_once("listening on ")?;
            host.split('"').next().map(str::to_owned)
        });
        // It must not come to wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        let host = host.expect("it says where it listens");
        Self { host, process, _directory: directory }
    }

    fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.host).parse().unwrap()
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn layer(workshop: &Workshop, compression: Compression, content: &[u8]) -> Layer {
    let mut builder = LayerBuilder::new();
    let file = Content::Bytes(content.to_vec());
    builder.add("/opt/flink/usrlib/job.jar", file, Attributes::mode(0o644)).unwrap();
    builder.write(compression, workshop.path(&format!("{compression:?}"))).await.unwrap()
}

async fn append(
    client: &Client,
    base: &Reference,
    target: &Reference,
    layers: &[Layer],
) -> flumen_image::Pushed {
    let labels = BTreeMap::from([("org.opencontainers.image.title".to_owned(), "job".to_owned())]);
    let environment = BTreeMap::new();
    let append = Append { base, target, layers, labels: &labels, environment: &environment };
    client.append(&append, &Progress::silent()).await.unwrap()
}

#[tokio::test]
async fn images_are_built_appended_mounted_read_and_found_again() {
    let registry = DockerRegistry::start("");
    let workshop = Workshop::new();
    let base = registry.reference("base:v1");
    let built = workshop.push_base(&base).await;
    let layers = [
        layer(&workshop, Compression::Gzip, &noise(200_000)).await,
        layer(&workshop, Compression::Zstd, &noise(200_000)).await,
    ];
    let target = registry.reference("team/job:v1");
    let pushed = append(&client(), &base, &target, &layers).await;
    let image = client().pull_manifest(&target).await.unwrap();
    assert_eq!(image.digest, pushed.digest);
    let own: u64 = layers.iter().map(|layer| layer.size).sum();
    let base_layer =
        client().pull_manifest(&built.reference).await.unwrap().manifest.layers()[0].clone();
    let expected = own + image.manifest.config().size();
    assert_eq!(pushed.sent_bytes, expected, "the layer of the base was mounted");
    let copy = workshop.path("copy");
    client().pull_blob_to(&target, &base_layer, &copy).await.unwrap();
    client().pull_blob_to(&target, &image.manifest.layers()[2], &copy).await.unwrap();
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&layers[1].path).unwrap());
    let again = append(&client(), &base, &target, &layers).await;
    assert_eq!((again.digest, again.sent_bytes), (pushed.digest, 0));
    assert_eq!(client().tags(&target).await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn an_index_goes_there_and_comes_back() {
    let registry = DockerRegistry::start("");
    let workshop = Workshop::new();
    let mut manifests = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let platform = format!("linux/{architecture}").parse().unwrap();
        let client = Client::new(Settings { platform, ..settings() }).unwrap();
        let layers = [workshop.layer("base.txt", architecture.as_bytes()).await];
        let configuration = Configuration::default();
        let target = registry.reference("base");
        let build = Build { target: &target, layers: &layers, configuration: &configuration };
        let pushed = client.build(&build, &Progress::silent()).await.unwrap();
        manifests.push(serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": pushed.digest,
            "size": 1, "platform": { "os": "linux", "architecture": architecture },
        }));
    }
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index =
        serde_json::json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
    let base = registry.reference("base:v1");
    client().push_manifest(&base, media_type, index.to_string().into()).await.unwrap();
    let layers = [layer(&workshop, Compression::Gzip, b"job").await];
    let (target, nothing) = (registry.reference("job:v1"), BTreeMap::new());
    let append = Append {
        base: &base,
        target: &target,
        layers: &layers,
        labels: &nothing,
        environment: &nothing,
    };
    let pushed = client().append_all(&append, &Progress::silent()).await.unwrap();
    let found = client().inspect(&target).await.unwrap();
    assert_eq!((found.digest, found.platforms.len()), (pushed.index.digest, 2));
    assert_eq!(found.image.manifest.layers().len(), 2);
}

#[tokio::test]
async fn uploads_in_pieces_and_uploads_that_break_off_arrive() {
    let registry = DockerRegistry::start("");
    let workshop = Workshop::new();
    let layer = layer(&workshop, Compression::Zstd, &noise(1_000_000)).await;
    let client = Client::new(Settings { chunk_bytes: 100_000, ..settings() }).unwrap();
    // This registry gives up an upload that broke off, so that it is sent anew.
    let line = Line::to(&registry.host, &[Cut::Sent(300_000), Cut::Sent(450_000)]).await;
    let repository = line.reference("job");
    client.push_layer(&repository, &layer, &Progress::silent()).await.unwrap();
    assert!(line.is_done());
    let copy = workshop.path("copy");
    let descriptor = flumen_image::Descriptor::new(
        layer.media_type.clone(),
        layer.size,
        layer.digest.as_str().parse::<oci_spec::image::Digest>().unwrap(),
    );
    client.pull_blob_to(&registry.reference("job"), &descriptor, &copy).await.unwrap();
    assert_eq!(fs::read(copy).unwrap(), fs::read(layer.path).unwrap());
}

#[tokio::test]
async fn a_user_name_and_a_password_are_given_when_asked_for() {
    let registry = DockerRegistry::start("auth:\n  htpasswd:\n    realm: test\n    path: USERS");
    let of = |password: &str| {
        let ann = Credential::basic("ann", password);
        let credentials = BTreeMap::from([(registry.host.clone(), ann)]);
        Client::new(Settings { credentials, ..settings() }).unwrap()
    };
    let checked = of("secret").check(&registry.reference("job")).await.unwrap();
    assert!(checked.kept_because.is_some(), "it allows no deleting unless told to");
    for client in [of("hunter2"), client()] {
        let error = client.check(&registry.reference("job")).await.expect_err("not accepted");
        assert_eq!(error.kind(), Kind::Denied, "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_probe_is_deleted_where_deleting_is_allowed() {
    let registry = DockerRegistry::start("  delete:\n    enabled: true");
    for _ in 0..2 {
        let checked = client().check(&registry.reference("team/jobs")).await.unwrap();
        assert_eq!(checked.kept_because, None);
        assert_eq!(client().manifest_digest(&checked.reference).await.unwrap(), None);
    }
}

#[tokio::test]
async fn documents_about_an_image_are_found_by_its_digest() {
    let registry = DockerRegistry::start("  delete:\n    enabled: true");
    check_attachments(&registry.reference("job:v1"), true).await;
}

#[tokio::test]
async fn so_they_are_where_the_registry_keeps_the_list_itself() {
    let registry = crate::support::Registry::start();
    check_attachments(&registry.reference("job:v1"), false).await;
}

async fn check_attachments(image: &Reference, has_tag: bool) {
    let workshop = Workshop::new();
    let pushed = workshop.push_base(image).await;
    let client = client();
    assert_eq!(client.referrers(&pushed.reference).await.unwrap(), []);
    let of = |text: &'static str| flumen_image::Attachment {
        media_type: "application/spdx+json",
        title: "sbom.spdx.json",
        content: text.into(),
    };
    let first = client.attach(&pushed, &of("{\"a\":1}")).await.unwrap();
    assert_eq!(first.sent_bytes, 9, "the document and what stands for no configuration");
    let again = client.attach(&pushed, &of("{\"a\":1}")).await.unwrap();
    assert_eq!((&again.reference, again.sent_bytes), (&first.reference, 7));
    let second = client.attach(&pushed, &of("{\"a\":2}")).await.unwrap();
    let found = client.referrers(image).await.unwrap();
    let mut digests: Vec<String> = found.iter().map(|found| found.digest().to_string()).collect();
    let mut expected = [first, second].map(|it| it.reference.digest().unwrap().to_string());
    digests.sort();
    expected.sort();
    assert_eq!(digests, expected);
    let kind = found[0].artifact_type().as_ref().map(ToString::to_string);
    assert_eq!(kind.as_deref(), Some("application/spdx+json"));
    let tag = format!("sha256-{}", pushed.digest.hex());
    assert_eq!(client.tags(image).await.unwrap().contains(&tag), has_tag);
    check_detached(&client, &pushed).await;
}

/// Those that are meant go, what others attached stays, and the second time nothing is to be done.
async fn check_detached(client: &flumen_image::Client, pushed: &flumen_image::Pushed) {
    let foreign = flumen_image::Attachment {
        media_type: "application/spdx+json",
        title: "scan.json",
        content: "{}".into(),
    };
    let foreign = client.attach(pushed, &foreign).await.unwrap().reference;
    for _ in 0..2 {
        let meant = ("application/spdx+json", "sbom.spdx.json");
        client.detach(&pushed.reference, meant).await.unwrap();
        let left = client.referrers(&pushed.reference).await.unwrap();
        let left: Vec<_> = left.iter().map(|one| one.digest().to_string()).collect();
        assert_eq!(left, [foreign.digest().unwrap().to_string()]);
    }
    client.detach(&pushed.reference, ("application/spdx+json", "scan.json")).await.unwrap();
    assert_eq!(client.referrers(&pushed.reference).await.unwrap(), []);
    assert_eq!(client.manifest_digest(&foreign).await.unwrap(), None);
    let tag = format!("sha256-{}", pushed.digest.hex());
    assert!(!client.tags(&pushed.reference).await.unwrap().contains(&tag));
}
