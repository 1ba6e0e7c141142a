//! Python jobs, as far as neither Flink nor Python runs them.

use std::{
    io::{Cursor, Write as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_control::{
    ApplyJob, Change, Error, Operation, OperationState, Release, RollBackOrder, Terms,
    UploadedArtifact, VersionFiles, VersionSource,
};
use flumen_model::{ArtifactRole, Kind};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    base_images::{add_image, build_own, own_image},
    sbom,
    server::{TestServer, application, digest, done, environment, name, refusal},
    world::World,
};

const PROGRAM: &[u8] = b"print('it runs')\n";
const WHEEL: &str = "geo-1.2-py3-none-any.whl";

/// An index with geo 1.2, which says for how many requests it is away first.
pub(crate) struct Index {
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Index {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn index(world: &mut World) -> Index {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/simple/", listener.local_addr().unwrap());
    world.python_index = Some(address.parse().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Index { asked, task }
}

async fn answer(State(asked): State<Arc<AtomicUsize>>, request: Request) -> Response {
    asked.fetch_add(1, Ordering::Relaxed);
    match request.uri().path() {
        "/simple/geo/" => {
            let hash = digest(&wheel());
            let text = format!(
                r#"{{"files":[{{"filename":"{WHEEL}","url":"/{WHEEL}","hashes":{{"sha256":"{}"}}}}]}}"#,
                hash.hex()
            );
            ([(header::CONTENT_TYPE, "application/vnd.pypi.simple.v1+json")], text).into_response()
        }
        path if path.ends_with(WHEEL) => wheel().into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn wheel() -> Vec<u8> {
    zip(&[
        ("geo/__init__.py", "PLACE = 'here'\n"),
        ("geo-1.2.dist-info/METADATA", "Name: geo\nVersion: 1.2\nRequires-Dist: numpy>=1.20\n"),
    ])
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Adds the version once more, with what looks like `PyFlink`.
async fn add_pyflink(server: &TestServer) -> Operation {
    let directory = &server.world.directory;
    for file in [
        "pyflink/pyflink/version.py",
        "pyflink/apache_flink-1.20.5.dist-info/METADATA",
        "pyflink/numpy-1.24.4.dist-info/METADATA",
    ] {
        directory.write(file, "");
    }
    let source = VersionSource::Directory(directory.join("flink"));
    let files = VersionFiles { source, pyflink: Some(directory.join("pyflink")) };
    let version = "1.20.5".parse().unwrap();
    let control = server.control();
    let id = control.add_version(&server.principal, version, &environment(), files, None).await;
    server.operation_ended(id.unwrap()).await
}

pub(crate) async fn python_server() -> (TestServer, Index) {
    let mut world = World::start().await;
    let index = index(&mut world).await;
    let server = TestServer::start_in(world).await;
    let added = add_pyflink(&server).await;
    assert_eq!(added.state, OperationState::Succeeded, "{added:?}");
    (server, index)
}

fn python_job(more: &Value) -> Value {
    let mut file = json!({
        "name": "word-count", "environment": "local", "flinkVersion": "1.20.5", "kind": "python", "artifact": "x/count.py",
    });
    for (key, value) in more.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

/// A job file with these files, uploaded before.
async fn with_files(server: &TestServer, file: Value, files: &[File<'_>]) -> ApplyJob {
    let mut artifacts = Vec::new();
    for (name, role, content) in files {
        let digest = server.upload(content).await;
        artifacts.push(UploadedArtifact { name: (*name).to_owned(), digest, role: *role });
    }
    ApplyJob { artifacts, ..application(file, b"") }
}

fn requirements(text: &str) -> File<'_> {
    ("requirements.txt", ArtifactRole::Requirements, text.as_bytes())
}

/// A file's name, role and content.
type File<'a> = (&'a str, ArtifactRole, &'a [u8]);

const MAIN: File<'_> = ("count.py", ArtifactRole::Python, PROGRAM);

fn with_requirements() -> Value {
    python_job(&json!({"dependencies": [{"path": "requirements.txt", "role": "requirements"}]}))
}

async fn newest(server: &TestServer) -> Release {
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    releases.unwrap().remove(0)
}

fn names(release: &Release) -> Vec<(&str, ArtifactRole)> {
    release.content.artifacts.iter().map(|one| (one.name.as_str(), one.role)).collect()
}

#[tokio::test]
async fn a_program_is_released_with_its_files_and_given_to_flink() {
    let (server, _index) = python_server().await;
    let file = python_job(&json!({
        "arguments": ["--input", "a b"],
        "configuration": {"python.files": "/opt/more"},
        "dependencies": [{"path": "lib.zip", "role": "python"}, {"path": "data.zip", "role": "archive"}],
    }));
    let archive = zip(&[("geo.py", "")]);
    let files = [
        MAIN,
        ("lib.zip", ArtifactRole::Python, archive.as_slice()),
        ("data.zip", ArtifactRole::Archive, archive.as_slice()),
    ];
    let apply = with_files(&server, file, &files).await;
    let applied = done(server.control().apply_job(&server.principal, apply).await.unwrap());
    assert_eq!((applied.change, applied.warnings), (Change::Created, vec![]));
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let objects = server.runs().await.remove(0).objects.expect("rendered");
    for words in [
        "org.apache.flink.client.python.PythonDriver",
        "--python",
        "/opt/flink/usrlib/count.py",
        "/opt/flink/usrlib/lib.zip,/opt/more",
        "/opt/flink/usrlib/data.zip",
        "client:\\n    executable: python3",
    ] {
        assert!(objects.contains(words), "{words} is not in {objects}");
    }
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn requirements_become_wheels_of_the_release_beside_what_the_image_has() {
    let (server, index) = python_server().await;
    let files = [MAIN, requirements("geo~=1.0\nnumpy\n")];
    let apply = || with_files(&server, with_requirements(), &files);
    let operation = server.released(server.prepare(apply().await).await.unwrap()).await;
    let steps: Vec<_> =
        operation.steps.iter().map(|one| (&*one.name, one.detail.clone())).collect();
    let size = wheel().len();
    let expected = [
        ("resolve-requirements", "1 package".to_owned()),
        ("fetch-wheels", format!("1 wheel, {size} B")),
    ];
    assert_eq!(steps[..2], expected.map(|(name, detail)| (name, Some(detail))));
    let release = newest(&server).await;
    let (role, requirements) = (ArtifactRole::Wheel, ArtifactRole::Requirements);
    let first =
        [("count.py", ArtifactRole::Python), ("requirements.txt", requirements), (WHEEL, role)];
    assert_eq!(names(&release), first);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let image = server.runs().await[0].image.clone().unwrap();
    let document = sbom::document(&image).await;
    let geo = &document["packages"][2];
    assert_eq!(
        (&geo["packageFileName"], &geo["checksums"][1]["checksumValue"], &geo["comment"]),
        (
            &json!(WHEEL),
            &json!(digest(&wheel()).hex()),
            &json!("role wheel: unpacked in /opt/python/job")
        )
    );
    assert_eq!(geo["externalRefs"][0]["referenceLocator"], "pkg:pypi/geo@1.2");
    let of_release = sbom::of_release(&server, 1).await.unwrap();
    let count = |document: &Value| document["files"].as_array().map(Vec::len);
    assert_eq!(
        (count(&document), count(&of_release)),
        (Some(1), Some(2)),
        "requirements lie nowhere"
    );

    let asked = index.asked.load(Ordering::Relaxed);
    let again = server.control().apply_job(&server.principal, apply().await).await.unwrap();
    assert_eq!(
        (done(again).change, index.asked.load(Ordering::Relaxed)),
        (Change::Unchanged, asked)
    );
    server.operation_ended(server.cancel().await).await;

    // Back to it fetches nothing.
    let other = with_files(&server, python_job(&json!({})), &[MAIN]).await;
    done(server.control().apply_job(&server.principal, other).await.unwrap());
    server.operation_ended(server.cancel().await).await;
    let order = RollBackOrder { release: 1, start: false, force: false };
    let place = (&environment(), &name());
    let back = server.control().roll_back_job(&server.principal, place, order, Terms::default());
    assert_eq!(back.await.unwrap().job.job.release, release.id);
    assert_eq!(index.asked.load(Ordering::Relaxed), asked);
    server.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_requirements_ends_the_operation_and_makes_nothing() {
    let (server, _index) = python_server().await;
    for (text, kind, words) in [
        ("geo>=2\n", Kind::NotFound, "no version of geo fits: geo>=2 (line 1 of requirements.txt)"),
        ("nothing\n", Kind::NotFound, "has no nothing"),
        ("geo\n-r other.txt\n", Kind::Invalid, "requirements.txt, line 2: -r is not taken"),
        ("apache-flink==1.19.0\n", Kind::Invalid, "the image has apache-flink 1.20.5"),
    ] {
        let apply = with_files(&server, with_requirements(), &[MAIN, requirements(text)]).await;
        let operation = server.operation_ended(server.prepare(apply).await.unwrap()).await;
        let refusal = operation.refusal.expect("a request would be refused for it");
        assert_eq!((refusal.kind, refusal.code.as_str()), (kind, "job.python"), "{refusal:?}");
        assert!(refusal.causes.iter().any(|cause| cause.contains(words)), "{words}: {refusal:?}");
    }
    assert_eq!(server.view().await.err().map(|error| error.kind()), Some(Kind::NotFound));
    server.finish().await;
}

#[tokio::test]
async fn files_that_python_or_flink_cannot_take_are_refused() {
    let (server, _index) = python_server().await;
    let outside = zip(&[("../out.py", "")]);
    let other = zip(&[("jobs/other.py", "")]);
    let module = || python_job(&json!({"module": "jobs.count", "artifact": "jobs.zip"}));
    let python = ArtifactRole::Python;
    let file = |name: &'static str, content: &'static [u8]| (name, python, content);
    let cases: [(Value, Vec<File<'_>>, &str); 8] = [
        (python_job(&json!({})), vec![file("count.py", b"")], "is empty"),
        (python_job(&json!({})), vec![file("count.py", b"PK\x03\x04\0\0")], "is no text"),
        (module(), vec![file("jobs.zip", b"no zip")], "jobs.zip cannot be used: it is no zip"),
        (
            module(),
            vec![("jobs.zip", python, outside.as_slice())],
            "\"../out.py\" in it leads out of it",
        ),
        (module(), vec![("jobs.zip", python, other.as_slice())], "has no module jobs.count"),
        (
            python_job(&json!({})),
            vec![MAIN, ("a.rar", ArtifactRole::Archive, &b"x"[..])],
            "has the role archive",
        ),
        (python_job(&json!({})), vec![MAIN, file("a.sh", b"x")], "has the role python"),
        (
            python_job(&json!({})),
            vec![MAIN, (WHEEL, ArtifactRole::Wheel, &b"x"[..])],
            "the role wheel",
        ),
    ];
    for (file, files, words) in cases {
        let apply = with_files(&server, file, &files).await;
        let (kind, text) = refusal(server.control().apply_job(&server.principal, apply).await);
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(kind, Kind::Invalid, "{text}");
    }
    server.finish().await;
}

#[tokio::test]
async fn an_image_without_pyflink_is_named_with_what_to_do() {
    let server = TestServer::start().await;
    let apply = async |file| -> Result<_, Error> {
        let apply = with_files(&server, file, &[MAIN]).await;
        server.control().apply_job(&server.principal, apply).await
    };
    let (kind, text) = refusal(apply(python_job(&json!({}))).await);
    assert_eq!(kind, Kind::Invalid);
    for words in [
        "has no Python with PyFlink",
        "pip install --target",
        "flumen version add 1.20.5 --pyflink",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Whoever brings a Python of his own needs none of the image.
    let configuration = json!({
        "python.executable": "venv.zip/bin/python", "python.client.executable": "venv.zip/bin/python",
    });
    let file = python_job(&json!({"configuration": configuration}));
    let mut order = with_files(&server, file, &[MAIN]).await;
    order.start = false;
    done(server.control().apply_job(&server.principal, order).await.unwrap());

    server.world.directory.write("pyflink/apache_flink-1.19.0.dist-info/METADATA", "");
    let directory = server.world.directory.join("pyflink");
    let source = VersionSource::Directory(server.world.directory.join("flink"));
    let files = VersionFiles { source, pyflink: Some(directory) };
    let (version, control) = ("1.20.5".parse().unwrap(), server.control());
    let id = control.add_version(&server.principal, version, &environment(), files, None).await;
    let failed = server.operation_ended(id.unwrap()).await;
    let error = failed.error.expect("it fails");
    assert!(error.contains("its apache-flink is of version 1.19.0"), "{error}");
    server.finish().await;
}

const SCRIPT: &[u8] = b"CREATE TEMPORARY FUNCTION f AS 'udf.f' LANGUAGE PYTHON;
CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT f(n) FROM a;
";

fn sql_job(more: &Value) -> Value {
    let mut file = python_job(more);
    file["kind"] = json!("sql");
    file["artifact"] = json!("x/a.sql");
    file
}

#[tokio::test]
async fn functions_of_a_script_get_their_files_packages_and_the_jar_of_flink() {
    let (server, _index) = python_server().await;
    let script = ("a.sql", ArtifactRole::Script, SCRIPT);
    let files = [script, ("udf.py", ArtifactRole::Python, PROGRAM), requirements("geo\n")];
    let file = sql_job(&json!({"dependencies": [
        {"path": "udf.py", "role": "python"}, {"path": "requirements.txt", "role": "requirements"},
    ]}));
    let apply = with_files(&server, file, &files).await;
    server.released(server.prepare(apply).await.unwrap()).await;
    let release = newest(&server).await;
    assert!(names(&release).contains(&(WHEEL, ArtifactRole::Wheel)), "{:?}", names(&release));
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let objects = server.runs().await.remove(0).objects.expect("rendered");
    for words in [
        "flumen.sql.SqlRunner",
        "/opt/flink/usrlib/udf.py",
        "file:///opt/flink/opt/flink-python-1.20.5.jar",
        "client:\\n    executable: python3",
    ] {
        assert!(objects.contains(words), "{words} is not in {objects}");
    }
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_script_with_functions_in_python_needs_an_image_with_python() {
    let server = TestServer::start().await;
    let script = ("a.sql", ArtifactRole::Script, SCRIPT);
    let apply = with_files(&server, sql_job(&json!({})), &[script]).await;
    let operation = server.operation_ended(server.prepare(apply).await.unwrap()).await;
    let refusal = operation.refusal.expect("it is refused");
    assert_eq!(refusal.kind, Kind::Invalid);
    assert!(refusal.message.contains("has no Python with PyFlink"), "{}", refusal.message);
    server.finish().await;
}

#[tokio::test]
async fn an_image_that_says_which_python_it_has_is_believed() {
    let (server, _index) = python_server().await;
    // It has what the image below it says.
    build_own(&server, "1.20.5").await.unwrap();
    add_image(&server, &own_image(&server)).await.unwrap();
    let mut apply = with_files(&server, python_job(&json!({})), &[MAIN]).await;
    apply.start = false;
    done(server.control().apply_job(&server.principal, apply).await.unwrap());
    server.finish().await;
}
