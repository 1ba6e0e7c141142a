//! The API without a socket, for clients in the same process.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower::{BoxError, Service};

use crate::{api::Api, security::User};

/// The API as a service, on behalf of one user.
#[derive(Clone)]
pub struct InProcess {
    api: Arc<Api>,
    user: User,
}

impl InProcess {
    pub(crate) fn new(api: Arc<Api>, user: User) -> Self {
        Self { api, user }
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("InProcess").field("user", &self.user.name).finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for InProcess
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (api, user) = (self.api.clone(), self.user.clone());
        let request = request.map(Body::new);
        Box::pin(async move { Ok(api.answer(Some(user), request).await) })
    }
}
