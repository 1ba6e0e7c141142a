//! A server that speaks the protocol of S3: moto, which `scripts/setup tests` installs.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// moto, with a check of its own for signed links.
const PROGRAM: &str = include_str!("s3_server.py");
const USER: &str = "flumen";
const READER: &str = "reader";
/// How many requests the server takes before it asks who sends them: those of [`S3Server::start`].
const OPEN_REQUESTS: usize = 7;

/// Access key and secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

/// An S3 of its own for each test, with one bucket. It checks keys and signatures unless it is unguarded, and ends
/// with the value.
#[derive(Debug)]
pub struct S3Server {
    address: String,
    /// May do everything with the bucket.
    pub keys: S3Keys,
    /// May list and read.
    pub reader: S3Keys,
    process: Child,
}

impl S3Server {
    /// The bucket that is there from the start.
    pub const BUCKET: &str = "flink";

    /// Starts one.
    pub fn start() -> Self {
        Self::asking_after(&OPEN_REQUESTS.to_string())
    }

    /// Starts one that takes any keys: it calculates signatures of Amazon's library for Java, which Flink's plugins use,
    /// otherwise than the library does.
    pub fn unguarded() -> Self {
        Self::asking_after("inf")
    }

    /// Starts one that checks keys from so many requests on.
    fn asking_after(requests: &str) -> Self {
        let tools = tools();
        let mut process = Command::new("python3")
            .args(["-c", PROGRAM, "-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONPATH", &tools)
            .env("INITIAL_NO_AUTH_ACTION_COUNT", requests)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python3 must be installed: `scripts/setup` sees to it");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = log.find_map(|line| {
            let line = line.unwrap();
            said.push_str(&line);
            said.push('\n');
            let (_, address) = line.split_once("Running on http://")?;
            address.split_whitespace().next().map(str::to_owned)
        });
        // It must not come to wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        let Some(address) = address else {
            process.wait().unwrap();
            panic!(
                "moto does not start from {}; `scripts/setup tests` installs it there:\n{said}",
                tools.display()
            );
        };
        let none = S3Keys { access_key: String::new(), secret_key: String::new() };
        let mut server = Self { address, keys: none.clone(), reader: none, process };
        server.keys = server.user(USER, "s3:*");
        server.reader = server.user(READER, r#"["s3:GetObject","s3:ListBucket"]"#);
        server.request("PUT", &format!("/{}", Self::BUCKET), "s3", "");
        server
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A user who may do this, with keys.
    fn user(&self, name: &str, action: &str) -> S3Keys {
        let action =
            if action.starts_with('[') { action.to_owned() } else { format!("\"{action}\"") };
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
        );
        let policy = policy.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let ask = |action: &str, more: &str| {
            let body = format!("Action={action}&Version=2010-05-08&UserName={name}{more}");
            self.request("POST", "/", "iam", &body)
        };
        ask("CreateUser", "");
        ask("PutUserPolicy", &format!("&PolicyName=all&PolicyDocument={policy}"));
        let made = ask("CreateAccessKey", "");
        let part = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>")).unwrap();
            rest.split_once("</").unwrap().0.to_owned()
        };
        S3Keys { access_key: part("AccessKeyId"), secret_key: part("SecretAccessKey") }
    }

    /// One of the requests that are not asked for keys; the name in the header says which service is meant.
    fn request(&self, method: &str, path: &str, service: &str, body: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            connection,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=none\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        answer
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Where `scripts/setup tests` puts Python packages for tests.
fn tools() -> PathBuf {
    let given = std::env::var_os("FLUMEN_TEST_TOOLS").map(PathBuf::from);
    let cache =
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/flumen/test-tools");
    given.unwrap_or_else(cache).join("moto-5.2.5")
}
