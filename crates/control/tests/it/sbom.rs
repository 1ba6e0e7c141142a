//! What a release is made of, as it is said of the release and attached to the image.

use std::net::SocketAddr;

use flumen_control::Error;
use flumen_image::{Client, Descriptor, Reference, Settings};
use flumen_model::Kind;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
};

use crate::{
    dependencies::{maven_repository, with_maven},
    server::{JAR, TestServer, application, done, environment, job, name},
    world::World,
};

fn client() -> Client {
    Client::new(Settings::default()).unwrap()
}

/// The documents about an image.
pub(crate) async fn documents(image: &str) -> Vec<Descriptor> {
    client().referrers(&image.parse().unwrap()).await.unwrap()
}

/// The one document about an image.
pub(crate) async fn document(image: &str) -> Value {
    let found = documents(image).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let image: Reference = image.parse().unwrap();
    let digest = found[0].digest().to_string();
    let content = client().attachment(&image.with_digest(digest.parse().unwrap())).await.unwrap();
    serde_json::from_slice(&content).unwrap()
}

pub(crate) async fn of_release(server: &TestServer, number: i64) -> Result<Value, Error> {
    let place = (&environment(), &name());
    server.control().release_sbom(&server.principal, place, number).await
}

/// Path, SHA-256 and what is said of each file.
fn files(document: &Value) -> Vec<[&str; 3]> {
    let files = document["files"].as_array().unwrap().iter();
    files
        .map(|file| {
            let [name, comment] = ["fileName", "comment"].map(|key| file[key].as_str().unwrap());
            [name, file["checksums"][1]["checksumValue"].as_str().unwrap(), comment]
        })
        .collect()
}

fn package<'d>(document: &'d Value, name: &str) -> &'d Value {
    let mut packages = document["packages"].as_array().unwrap().iter();
    packages.find(|one| one["name"] == name).expect(name)
}

/// How many bytes the newest start says that it sent.
async fn said_bytes(server: &TestServer) -> (u64, String) {
    let operations = server.control().operations(&server.principal, None, 10).await.unwrap();
    let newest = server.operation(operations[0].id).await;
    let step = newest.steps.into_iter().find(|step| step.name == "build-image");
    let detail = step.and_then(|step| step.detail);
    let detail = detail.expect("it says what it made");
    let count = detail.split(", ").nth(1).and_then(|text| text.split(' ').next()).unwrap();
    (count.parse().unwrap(), detail)
}

/// Bytes of what lies on the base image, and of the document about it.
async fn sent_bytes(image: &str, base: &str, registry: &str) -> u64 {
    let image: Reference = image.parse().unwrap();
    let base: Reference = format!("{registry}/{base}").parse().unwrap();
    let made = client().pull_manifest(&image).await.unwrap().manifest;
    let below = client().pull_manifest(&base).await.unwrap().manifest.layers().len();
    let found = documents(&image.to_string()).await;
    let document = image.with_digest(found[0].digest().to_string().parse().unwrap());
    let document = client().attachment(&document).await.unwrap().len() as u64;
    let layers: u64 = made.layers()[below..].iter().map(Descriptor::size).sum();
    layers + made.config().size() + document + "{}".len() as u64
}

#[tokio::test]
async fn the_image_of_a_job_has_a_document_that_names_its_files_and_their_licences() {
    let server = TestServer::start().await;
    let repository = maven_repository(&server);
    let pom = repository.join("g/b/1/b-1.pom");
    let text = std::fs::read_to_string(&pom).unwrap();
    let license = "<licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>";
    std::fs::write(&pom, text.replace("</project>", license)).unwrap();
    let id = server.prepare(application(with_maven("lib", &json!(null)), &JAR)).await.unwrap();
    server.released(id).await;
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let run = server.runs().await.remove(0);
    let (image, base) = (run.image.unwrap(), run.base.unwrap());
    let (_, digest) = image.split_once('@').unwrap();

    let document = document(&image).await;
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    let release = server.control().releases(&server.principal, &environment(), &name()).await;
    let artifacts = release.unwrap().remove(0).content.artifacts;
    let expected = [
        ("./opt/flink/usrlib/job.jar", "role usrlib"),
        ("./opt/flink/lib/a-1.jar", "role lib"),
        ("./opt/flink/lib/b-1.jar", "role lib"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .zip(&artifacts)
        .map(|((path, role), artifact)| [*path, artifact.digest.hex(), *role])
        .collect();
    assert_eq!(files(&document), expected);
    assert_eq!(document["packages"][0]["versionInfo"], digest);
    let named = format!("{}/{}", server.world.registry, base.split_once('@').unwrap().0);
    assert_eq!(package(&document, &named)["versionInfo"], base.split_once('@').unwrap().1);
    let (a, b) = (package(&document, "g:a"), package(&document, "g:b"));
    assert_eq!(b["externalRefs"][0]["referenceLocator"], "pkg:maven/g/b@1");
    assert_eq!(
        (&a["licenseDeclared"], &b["licenseDeclared"]),
        (&json!("NOASSERTION"), &json!("Apache-2.0"))
    );
    let relations = document["relationships"].as_array().unwrap();
    assert!(relations.iter().any(|one| one["relationshipType"] == "DESCENDANT_OF"), "{document}");
    let (said, detail) = said_bytes(&server).await;
    assert_eq!(said, sent_bytes(&image, &base, &server.world.registry).await, "{detail}");

    // The same is said of the release, also when the POMs are gone.
    std::fs::remove_dir_all(repository).unwrap();
    let of_release = of_release(&server, 1).await.unwrap();
    assert_eq!(of_release["files"], document["files"]);
    assert_eq!(package(&of_release, "g:b")["licenseDeclared"], "Apache-2.0");
    assert_eq!(package(&of_release, &named)["versionInfo"], base.split_once('@').unwrap().1);
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn the_document_goes_with_its_image_comes_back_the_same_and_is_attached_once() {
    let server = TestServer::start().await;
    let mut known = Vec::new();
    for _ in 0..2 {
        server.running().await;
        let image = server.runs().await[0].image.clone().unwrap();
        known.push((image.clone(), documents(&image).await));
        server.operation_ended(server.cancel().await).await;
        server.until_state("CANCELED").await;
        // What is known is used again, and nothing is asked of the registry but whether it is there.
        let operation = server.start_again().await.unwrap();
        let run = server.wished_run().await;
        server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
        let steps = server.operation_ended(operation).await.steps;
        let detail = steps[1].detail.clone().unwrap_or_default();
        assert!(detail.ends_with(", unchanged"), "{detail}");
        assert_eq!(documents(&image).await.len(), 1);
        server.until_state("RUNNING").await;
        server.operation_ended(server.cancel().await).await;
        server.until_state("CANCELED").await;
        server.delete().await;
        server.until_gone().await;
        server.control().dispose(None, false).await.unwrap();
        assert_eq!(documents(&image).await, [], "it goes with the image");
        server.upload(&JAR).await;
    }
    assert_eq!(known[0], known[1], "the same inputs give the same bytes");
    server.finish().await;
}

#[tokio::test]
async fn a_release_without_an_image_has_a_document_and_an_unknown_one_has_none() {
    let server = TestServer::start().await;
    let mut file = job();
    file["delivery"] = json!("init-container");
    let mut apply = application(file, &JAR);
    apply.start = false;
    done(server.control().apply_job(&server.principal, apply).await.unwrap());
    let first = of_release(&server, 1).await.unwrap();
    assert_eq!(first, of_release(&server, 1).await.unwrap());
    assert_eq!(files(&first).len(), 1);
    let (about, base) = (&first["packages"][0], &first["packages"][1]);
    assert_eq!(
        (&about["SPDXID"], &about["name"]),
        (&json!("SPDXRef-Release"), &json!("word-count"))
    );
    assert!(base["versionInfo"].as_str().unwrap().starts_with("sha256:"), "{base}");
    assert_eq!(of_release(&server, 2).await.err().map(|error| error.kind()), Some(Kind::NotFound));
    server.finish().await;
}

/// Passes everything on to a registry but manifests that are about others.
async fn without_documents(listener: TcpListener, registry: SocketAddr) {
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = client.split();
            let mut registry = TcpStream::connect(registry).await.unwrap();
            let (mut from_registry, mut to_registry) = registry.split();
            let mut buffer = vec![0; 1 << 16];
            let refused = async {
                loop {
                    let count = from_client.read(&mut buffer).await.unwrap_or(0);
                    let piece = &buffer[..count];
                    if count == 0 || piece.windows(9).any(|part| part == b"\"subject\"") {
                        return count > 0;
                    }
                    to_registry.write_all(piece).await.unwrap();
                }
            };
            let is_refused = tokio::select! {
                is_refused = refused => is_refused,
                _ = copy(&mut from_registry, &mut to_client) => false,
            };
            if is_refused {
                let answer =
                    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                to_client.write_all(answer).await.unwrap();
                to_client.shutdown().await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn a_registry_that_takes_no_documents_has_the_image_all_the_same_and_that_is_said() {
    let mut world = World::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap().to_string();
    let behind = std::mem::replace(&mut world.registry, front);
    let passing = tokio::spawn(without_documents(listener, behind.parse().unwrap()));
    let server = TestServer::start_in(world).await;
    server.running().await;
    let (_, detail) = said_bytes(&server).await;
    let words = "; without its SPDX document: the registry did not do what was asked: ";
    assert!(detail.contains(words) && detail.contains("400"), "{detail}");
    let image = server.runs().await[0].image.clone().unwrap();
    assert_eq!(documents(&image).await, []);
    assert_eq!(files(&of_release(&server, 1).await.unwrap()).len(), 1);
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
    passing.abort();
}
