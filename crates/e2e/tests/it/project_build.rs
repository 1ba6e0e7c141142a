//! A job whose jar is built from a git repository by a real git and a real Maven in a pod.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::setup::{
    PATIENCE, Running, apply_objects, base_image, cache, kubectl, until, until_pod_runs, up,
};

const VERSION: &str = "1.20.5";

/// Pods have no way out of the machine, so one of them serves the repository, as git's own server does it, and the
/// artifacts that Maven needs.
const SOURCES: &str = "\
import http.server, os, subprocess

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.git() if self.path.startswith('/git/') else super().do_GET()

    def do_POST(self):
        self.git()

    def git(self):
        path, _, query = self.path.partition('?')
        body = self.rfile.read(int(self.headers.get('content-length') or 0))
        variables = dict(
            os.environ, GIT_PROJECT_ROOT='/sources/git', GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path[4:],
            QUERY_STRING=query, REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get('content-type', ''),
            HTTP_CONTENT_ENCODING=self.headers.get('content-encoding', ''),
            GIT_PROTOCOL=self.headers.get('git-protocol', ''),
            GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*')
        done = subprocess.run(['git', 'http-backend'], input=body, env=variables, stdout=subprocess.PIPE)
        head, _, rest = done.stdout.partition(b'\\r\\n\\r\\n')
        fields = dict(line.split(': ', 1) for line in head.decode().split('\\r\\n') if ': ' in line)
        self.send_response(int(fields.pop('Status', '200').split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rest)

os.chdir('/sources')
http.server.ThreadingHTTPServer(('', 8000), Handler).serve_forever()
";

const SETTINGS: &str = "\
<settings>
  <mirrors>
    <mirror><id>sources</id><mirrorOf>*</mirrorOf><url>http://sources:8000/maven</url></mirror>
  </mirrors>
</settings>
";

/// What `scripts/setup tests` fetched.
fn plugins() -> PathBuf {
    let tools = std::env::var_os("FLUMEN_TEST_TOOLS").map(PathBuf::from);
    let plugins = tools.unwrap_or_else(|| cache().join("test-tools")).join("maven-numbers-1");
    assert!(plugins.is_dir(), "{} is missing: run `scripts/setup tests`", plugins.display());
    plugins
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(directory).args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(arguments).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository whose branch `main` can be built, and `broken` cannot; gives the commit of the first.
fn make_repository(root: &Path) -> String {
    let work = root.join("work");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/numbers");
    let copied = Command::new("cp").arg("-r").args([&data, &work]).status().expect("cp runs");
    assert!(copied.success());
    git(&work, &["init", "--quiet", "--initial-branch", "main"]);
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "--message", "one"]);
    let commit = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["checkout", "--quiet", "-b", "broken"]);
    let source = work.join("src/main/java/numbers/Numbers.java");
    std::fs::write(&source, "package numbers; class Numbers { int a = b; }").expect("written");
    git(&work, &["commit", "--quiet", "--all", "--message", "two"]);
    let bare = root.join("sources/git/numbers.git");
    std::fs::create_dir_all(&bare).expect("a directory");
    let open = std::fs::Permissions::from_mode(0o755);
    for directory in [root, &root.join("sources"), &root.join("sources/git")] {
        std::fs::set_permissions(directory, open.clone()).expect("its mode");
    }
    let bare = bare.display().to_string();
    git(&work, &["clone", "--quiet", "--bare", ".", &bare]);
    commit
}

/// A Service `sources` by which pods reach the repository and the artifacts.
fn serve(running: &Running, image: &str) {
    let directory = |name: &str, path: &Path| {
        json!({
            "name": name, "hostPath": {"path": path, "type": "Directory"},
        })
    };
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "sources", "namespace": "default", "labels": {"app": "sources"}},
        "spec": {
            "containers": [{
                "name": "sources", "image": image, "command": ["/usr/bin/python3", "-c", SOURCES],
                "volumeMounts": [
                    {"name": "git", "mountPath": "/sources/git", "readOnly": true},
                    {"name": "maven", "mountPath": "/sources/maven", "readOnly": true},
                ],
            }],
            "volumes": [
                directory("git", &running.directory.path().join("sources/git")),
                directory("maven", &plugins()),
            ],
        },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "sources", "namespace": "default"},
        "spec": {"selector": {"app": "sources"}, "ports": [{"port": 8000, "targetPort": 8000}]},
    });
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "mirror", "namespace": "default"},
        "data": {"settings.xml": SETTINGS},
    });
    let items = json!([pod, service, settings]);
    apply_objects(running, &json!({"apiVersion": "v1", "kind": "List", "items": items}));
    until_pod_runs(running, "sources");
}

#[test]
fn a_job_runs_the_jar_that_maven_built_from_git() {
    let running = up();
    let (flumen, directory) = (&running.flumen, running.directory.path());
    let commit = make_repository(directory);
    flumen.succeed(&["version", "add", VERSION, "--wait"]).expect("a base image");
    serve(&running, &base_image(&running, VERSION));

    let kept = directory.join("kept");
    std::fs::create_dir(&kept).expect("a directory");
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o777)).expect("its mode");
    let project = "name: numbers\nenvironment: local\nrepository: http://sources:8000/git/numbers.git\nref: main\n\
        builder: maven\nresources: {cpu: 1, memory: 1g}\ntimeout: 5 min\nsettings: {configMap: mirror}\n";
    let file = directory.join("project.yaml");
    let project = format!("{project}cache: {{hostPath: {}}}\n", kept.display());
    std::fs::write(&file, project).expect("written");
    flumen.succeed(&["project", "apply", "--file", &file.display().to_string()]).expect("applied");
    flumen
        .succeed(&["project", "build", "numbers", "--wait", "--timeout", PATIENCE])
        .expect("built");
    let shown = flumen.json(&["project", "show", "numbers"]).expect("shown");
    assert_eq!(shown["builds"][0]["artifact"]["commit"], commit.as_str(), "{shown}");
    assert_eq!(shown["builds"][0]["artifact"]["path"], "target/numbers-1.jar", "{shown}");
    let log = flumen.json(&["project", "log", "numbers"]).expect("a log");
    let log = log["text"].as_str().expect("text");
    assert!(log.contains(&commit) && log.contains("BUILD SUCCESS"), "{log}");

    let job = format!(
        "name: numbers\nenvironment: local\nflinkVersion: {VERSION}\nartifact: project://numbers\n"
    );
    let file = directory.join("job.yaml");
    std::fs::write(&file, job).expect("written");
    let file = file.display().to_string();
    let applied = flumen.run(&["apply", "--file", &file, "--wait=finished", "--timeout", PATIENCE]);
    let applied = applied.expect("ran");
    assert!(applied.status.success(), "{}", applied.error);
    let release = flumen.json(&["release", "show", "numbers", "1"]).expect("a release");
    assert_eq!(release["sources"][0]["commit"], commit.as_str(), "{release}");

    wrong_sources_are_told(&running);
    flumen.succeed(&["job", "delete", "numbers", "--wait"]).expect("deleted");
    running.flumen.stop().expect("stopped");
}

/// A build that fails says why, and leaves nothing in the cluster.
fn wrong_sources_are_told(running: &Running) {
    for (reference, words) in [
        ("broken", "Numbers.java:[1,42] cannot find symbol"),
        ("nowhere", "the repository has no branch and no tag of this name"),
    ] {
        let build = ["project", "build", "numbers", "--ref", reference, "--wait"];
        let answer = running.flumen.run(&build).expect("ran");
        assert!(!answer.status.success(), "{}", answer.output);
        assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    }
    let query = ["get", "pods,configmaps", "--selector", "flumen.dev/project", "--output", "name"];
    let left = || {
        let told = kubectl(&running.kubeconfig(), &query);
        String::from_utf8_lossy(&told.stdout).into_owned()
    };
    until("nothing of a build", || left().is_empty().then_some(()), left);
    let delete = ["project", "delete", "numbers"];
    let deleted =
        || running.flumen.run(&delete).is_ok_and(|answer| answer.status.success()).then_some(());
    until("the project to be deleted", deleted, String::new);
}
