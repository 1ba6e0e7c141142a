//! The thread that lives in the node's network namespace.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use futures::future::LocalBoxFuture;
use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{Error, Range, links};

/// What the thread keeps for its tasks.
struct Node {
    handle: Handle,
    namespace: OwnedFd,
    loopback: u32,
    bridge: u32,
    range: Range,
}

type Job = Box<dyn FnOnce(Arc<Node>) -> LocalBoxFuture<'static, ()> + Send>;

#[derive(Debug, Clone)]
pub(super) struct NetworkThread {
    jobs: mpsc::UnboundedSender<Job>,
}

impl NetworkThread {
    pub(super) fn start(range: Range) -> Result<Self, Error> {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let (sender, ready) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("node-network".to_owned())
            .spawn(move || run(range, receiver, &sender))
            .map_err(Error::CreateNamespace)?;
        ready.recv().map_err(|_| Error::Gone)??;
        Ok(Self { jobs })
    }

    /// Runs `work` in the namespace; it must not block.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.send(Box::new(|_| {
            // The caller may have stopped waiting.
            let _ = sender.send(work());
            Box::pin(async {})
        }))?;
        answer.await.map_err(|_| Error::Gone)
    }

    /// As [`Self::call`], in another namespace.
    pub(super) async fn call_in<T: Send + 'static>(
        &self,
        namespace: Arc<OwnedFd>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.send(Box::new(move |node| {
            let _ = sender.send(node.within(&namespace, work));
            Box::pin(async {})
        }))?;
        answer.await.map_err(|_| Error::Gone)?
    }

    pub(super) fn call_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = std::sync::mpsc::channel();
        self.send(Box::new(move |_| {
            let _ = sender.send(work());
            Box::pin(async {})
        }))?;
        answer.recv().map_err(|_| Error::Gone)
    }

    pub(super) fn add_loopback_address_blocking(&self, address: IpAddr) -> Result<(), Error> {
        let (sender, answer) = std::sync::mpsc::channel();
        self.send(Box::new(move |node| {
            Box::pin(async move {
                let _ = sender.send(node.add_address(address).await);
            })
        }))?;
        answer.recv().map_err(|_| Error::Gone)?
    }

    pub(super) async fn add_loopback_address(&self, address: IpAddr) -> Result<(), Error> {
        self.run(move |node| Box::pin(async move { node.add_address(address).await })).await
    }

    pub(super) async fn remove_loopback_address(&self, address: IpAddr) -> Result<(), Error> {
        self.run(move |node| {
            Box::pin(
                async move { links::remove_address(&node.handle, node.loopback, address).await },
            )
        })
        .await
    }

    /// Connects a pod's network namespace to the bridge.
    pub(super) async fn attach(
        &self,
        namespace: Arc<OwnedFd>,
        address: Ipv4Addr,
    ) -> Result<(), Error> {
        self.run(move |node| Box::pin(async move { node.attach(namespace, address).await })).await
    }

    async fn run(
        &self,
        work: impl FnOnce(Arc<Node>) -> LocalBoxFuture<'static, Result<(), Error>> + Send + 'static,
    ) -> Result<(), Error> {
        let (sender, answer) = oneshot::channel();
        self.send(Box::new(|node| {
            Box::pin(async {
                let _ = sender.send(work(node).await);
            })
        }))?;
        answer.await.map_err(|_| Error::Gone)?
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        self.jobs.send(job).map_err(|_| Error::Gone)
    }
}

impl Node {
    async fn add_address(&self, address: IpAddr) -> Result<(), Error> {
        let IpAddr::V4(v4) = address else { return Ok(()) };
        // These the namespace has already.
        if v4.is_unspecified() || v4.is_loopback() || v4 == self.range.first() {
            return Ok(());
        }
        links::add_address(&self.handle, self.loopback, address).await
    }

    async fn attach(&self, namespace: Arc<OwnedFd>, address: Ipv4Addr) -> Result<(), Error> {
        links::connect_pod(&self.handle, self.bridge, &namespace, address).await?;
        let pod = self.connection_in(&namespace)?;
        let result = links::set_up_pod(&pod.handle, address, self.range).await;
        pod.task.abort();
        result
    }

    /// A netlink socket belongs to the namespace in which it was made.
    fn connection_in(&self, namespace: &OwnedFd) -> Result<Connection, Error> {
        self.within(namespace, connect)?
    }

    /// Nothing may be awaited while in there.
    fn within<T>(&self, namespace: &OwnedFd, work: impl FnOnce() -> T) -> Result<T, Error> {
        enter(namespace).map_err(|source| Error::Enter {
            step: "enter the pod's network".to_owned(),
            source,
        })?;
        let result = work();
        enter(&self.namespace).map_err(|source| Error::Enter {
            step: "return to the node's network".to_owned(),
            source,
        })?;
        Ok(result)
    }
}

struct Connection {
    handle: Handle,
    task: tokio::task::JoinHandle<()>,
}

fn connect() -> Result<Connection, Error> {
    let (connection, handle, _) = rtnetlink::new_connection()
        .map_err(|source| Error::Enter { step: "open a netlink socket".to_owned(), source })?;
    Ok(Connection { handle, task: tokio::task::spawn_local(connection) })
}

fn enter(namespace: impl AsFd) -> Result<(), io::Error> {
    Ok(setns(namespace, CloneFlags::CLONE_NEWNET)?)
}

fn run(
    range: Range,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    ready: &std::sync::mpsc::Sender<Result<(), Error>>,
) {
    let prepared = unshare(CloneFlags::CLONE_NEWNET)
        .map_err(io::Error::from)
        .and_then(|()| std::fs::File::open("/proc/thread-self/ns/net"))
        .and_then(|namespace| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok((OwnedFd::from(namespace), runtime))
        });
    let (namespace, runtime) = match prepared {
        Ok(prepared) => prepared,
        Err(source) => {
            let _ = ready.send(Err(Error::CreateNamespace(source)));
            return;
        }
    };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let node = match prepare(namespace, range).await {
            Ok(node) => Arc::new(node),
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        while let Some(job) = jobs.recv().await {
            tokio::task::spawn_local(job(Arc::clone(&node)));
        }
    });
}

async fn prepare(namespace: OwnedFd, range: Range) -> Result<Node, Error> {
    let connection = connect()?;
    let (loopback, bridge) = links::set_up_node(&connection.handle, range).await?;
    Ok(Node { handle: connection.handle, namespace, loopback, bridge, range })
}
