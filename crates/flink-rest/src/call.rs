use http::{Method, Request, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Malformed};

/// A request to a JobManager and the reading of its answer.
#[derive(Debug, Clone)]
#[must_use = "a call is only a value until somebody sends its request"]
pub struct Call<T> {
    name: &'static str,
    request: Request<Vec<u8>>,
    read: fn(&[u8]) -> Result<T, Malformed>,
}

impl<T> Call<T> {
    /// What is asked, as a few words for messages, for example `job overview`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The request. Its URI is a path and query relative to the JobManager.
    pub const fn request(&self) -> &Request<Vec<u8>> {
        &self.request
    }

    /// Whether sending it twice is the same as sending it once, because it only reads.
    pub fn is_read(&self) -> bool {
        self.request.method() == Method::GET
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// What Flink answered instead of the result (see [`Error::kind`]), or [`Error::Malformed`] with the
    /// field that is not as Flink promises.
    pub fn parse(&self, status: StatusCode, body: &[u8]) -> Result<T, Error> {
        if !status.is_success() {
            return Err(Error::from_answer(self.name, status, body));
        }
        (self.read)(body).map_err(|malformed| malformed.of(self.name))
    }
}

/// A `GET` whose answer is JSON.
pub(crate) fn get<T: DeserializeOwned>(name: &'static str, path: String) -> Call<T> {
    Call { name, request: build(Method::GET, path, None, Vec::new()), read: json }
}

/// A `GET` whose answer is `A` on the wire and `T` for the caller.
pub(crate) fn get_as<A, T>(name: &'static str, path: String) -> Call<T>
where
    A: DeserializeOwned + Into<T>,
{
    Call { name, request: build(Method::GET, path, None, Vec::new()), read: json_as::<A, T> }
}

/// A `GET` whose answer is a file.
pub(crate) fn get_bytes(name: &'static str, path: String) -> Call<Vec<u8>> {
    let read = |body: &[u8]| Ok(body.to_vec());
    Call { name, request: build(Method::GET, path, None, Vec::new()), read }
}

/// A request with a JSON body, whose answer is `A` on the wire and `T` for the caller.
pub(crate) fn post_as<A, T>(name: &'static str, path: String, body: &impl Serialize) -> Call<T>
where
    A: DeserializeOwned + Into<T>,
{
    let body = serde_json::to_vec(body).expect("request bodies have string keys only");
    Call {
        name,
        request: build(Method::POST, path, Some("application/json"), body),
        read: json_as::<A, T>,
    }
}

/// A request with a body of another type.
pub(crate) fn send_as<A, T>(
    name: &'static str,
    path: String,
    content_type: &str,
    body: Vec<u8>,
) -> Call<T>
where
    A: DeserializeOwned + Into<T>,
{
    Call {
        name,
        request: build(Method::POST, path, Some(content_type), body),
        read: json_as::<A, T>,
    }
}

/// A request without a body whose answer says nothing beyond its status.
pub(crate) fn command(name: &'static str, method: Method, path: String) -> Call<()> {
    Call { name, request: build(method, path, None, Vec::new()), read: |_| Ok(()) }
}

fn build(
    method: Method,
    path: String,
    content_type: Option<&str>,
    body: Vec<u8>,
) -> Request<Vec<u8>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header(http::header::CONTENT_TYPE, content_type);
    }
    request.body(body).expect("paths are made of literals, ids and escaped text")
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(Malformed::from)
}

fn json_as<A, T>(body: &[u8]) -> Result<T, Malformed>
where
    A: DeserializeOwned + Into<T>,
{
    json::<A>(body).map(Into::into)
}
