//! A gate before the registry: it lets nobody through who does not say the right words.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the gate asks.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    /// For user name and password.
    Basic,
    /// For a token, which it gives to those who have user name and password.
    Token,
}

/// `ann:secret` in base64.
const WORDS: &str = "Basic YW5uOnNlY3JldA==";

pub(crate) struct Gate {
    /// `host:port`.
    pub(crate) address: String,
    /// The `Authorization` of each request that came.
    seen: Arc<Mutex<Vec<Option<String>>>>,
}

impl Gate {
    pub(crate) async fn open(registry: &str, ask: Ask) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let registry: SocketAddr = registry.parse().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, registry, address, ask, Arc::clone(&noted)));
            }
        });
        Self { address: address.to_string(), seen }
    }

    pub(crate) fn was_asked_by(&self, words: &str) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.iter().flatten().any(|authorization| authorization == words)
    }
}

/// One request for each connection.
async fn serve(
    connection: TcpStream,
    registry: SocketAddr,
    own: SocketAddr,
    ask: Ask,
    seen: Arc<Mutex<Vec<Option<String>>>>,
) {
    let mut connection = BufReader::new(connection);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let is_last = line.trim().is_empty();
        if is_last {
            break;
        }
        head.push(line);
    }
    let is = |line: &str, name: &str| line.to_ascii_lowercase().starts_with(name);
    let words = head.iter().find(|line| is(line, "authorization:"));
    let words = words.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
    seen.lock().unwrap().push(words.clone());
    let words = words.unwrap_or_default();
    let answer = match ask {
        Ask::Basic if words == WORDS => None,
        Ask::Basic => Some(refusal("Basic realm=\"gate\"")),
        Ask::Token if head[0].starts_with("GET /token") => Some(if words == WORDS {
            answer("200 OK", "", "{\"token\": \"the-token\"}")
        } else {
            answer("401 Unauthorized", "", "{}")
        }),
        Ask::Token if words == "Bearer the-token" => None,
        Ask::Token => {
            Some(refusal(&format!("Bearer realm=\"http://{own}/token\",service=\"gate\"")))
        }
    };
    if let Some(answer) = answer {
        let _ = connection.write_all(answer.as_bytes()).await;
        return;
    }
    let mut registry = TcpStream::connect(registry).await.unwrap();
    let kept = head.iter().filter(|line| !is(line, "connection:") && !is(line, "authorization:"));
    let request: String = kept.cloned().chain(["connection: close\r\n\r\n".to_owned()]).collect();
    registry.write_all(request.as_bytes()).await.unwrap();
    let mut whole = Vec::new();
    let _ = registry.read_to_end(&mut whole).await;
    let _ = connection.write_all(&whole).await;
}

fn refusal(challenge: &str) -> String {
    answer("401 Unauthorized", &format!("www-authenticate: {challenge}\r\n"), "{}")
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
