use std::sync::Arc;

use flumen_faults::Faults;
use flumen_model::{JobId, Secret};
use flumen_store::{Principal, Store};

use crate::{
    Error, Settings, Tasks,
    builds::{self, Builds},
    clock,
    clusters::{self, Clusters},
    controller,
    delivery::{self, Links},
    environments,
    explanations::{self, Explanations},
    identity,
    jobs::ImageLibs,
    preparations::{self, Preparations},
    private_file,
    progress::StepsUnderWay,
    queue::Queue,
    registries::Registries,
    resync,
    retention::{self, Keeping},
    storage::Storages,
    tracker::Tracker,
    unfinished,
    user_interface::Codes,
    vault::{self, Vault},
};

/// The server side of Flumen, behind the API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    store: Store,
    clusters: Clusters,
    storages: Storages,
    registries: Registries,
    wakes: Arc<Queue<JobId>>,
    tracker: Tracker,
    codes: Codes,
    preparations: Preparations,
    explanations: Explanations,
    builds: Builds,
    steps_under_way: StepsUnderWay,
    keeping: Keeping,
    image_libs: ImageLibs,
    links: Links,
    tasks: Tasks,
}

impl Control {
    /// Opens the data directory and sets up what is there from the start. Nothing runs yet.
    ///
    /// # Errors
    /// What is wrong with the data directory, the database or the local cluster's kubeconfig.
    pub async fn open(settings: Settings, tasks: Tasks) -> Result<Self, Error> {
        for name in ["artifacts", "logs", "logs/builds"] {
            let path = settings.data_directory.join(name);
            tokio::fs::create_dir_all(&path).await.map_err(Error::file("create", &path))?;
        }
        unfinished::remove(&settings.data_directory).await?;
        let faults = settings.faults.clone();
        let store = Store::open(&settings.data_directory.join("flumen.db")).await?;
        let store = store.with_faults(faults.clone());
        let links = Links::open(&settings.data_directory)?;
        let registries = Registries::new(settings.registries.clone());
        let key_file = settings.secret_key_file.clone();
        let key_file = key_file.unwrap_or_else(|| settings.data_directory.join(vault::FILE));
        let is_used = store.has_secrets().await?;
        let vault = Vault::open(settings.secret_key.as_ref(), &key_file, is_used)?;
        let clusters = Clusters::new((store.clone(), vault), &settings);
        let wakes = Arc::new(Queue::new());
        let storages = Storages::new(clusters.clone(), store.clone());
        let seen = (clusters.clone(), storages.clone(), store.clone());
        let tracker = Tracker::new(seen, Arc::clone(&wakes), tasks.clone());
        let inner = Inner {
            settings,
            store,
            clusters,
            storages,
            registries,
            wakes,
            tracker,
            codes: Codes::default(),
            preparations: Preparations::new(),
            explanations: Explanations::new(),
            builds: Builds::new(),
            steps_under_way: StepsUnderWay::default(),
            keeping: Keeping::default(),
            image_libs: ImageLibs::default(),
            links,
            tasks,
        };
        let control = Self { inner: Arc::new(inner) };
        control.first_token().await?;
        environments::provide_local(&control).await?;
        Ok(control)
    }

    /// Starts the loops; they end when the group of tasks is stopped.
    pub async fn start(&self) -> Result<(), Error> {
        clusters::follow_places(self).await?;
        crate::versions::resume(self).await?;
        let control = self.clone();
        self.tasks().spawn("clusters", |stop| clusters::follow(control, stop));
        let control = self.clone();
        self.tasks().spawn("controller", |stop| controller::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("preparations", |stop| preparations::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("builds", |stop| builds::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("resync", |stop| resync::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("retention", |stop| retention::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("links", |stop| delivery::run(control, stop));
        let control = self.clone();
        self.tasks().spawn("explanations", |stop| explanations::run(control, stop));
        Ok(())
    }

    /// Who has this token.
    ///
    /// # Errors
    /// [`Error::Store`]; a token that nobody has is `None`.
    pub async fn authenticate(&self, token: &Secret) -> Result<Option<Principal>, Error> {
        Ok(self.store().principal(&identity::sha256_hex(token.expose().as_bytes())).await?)
    }

    /// Makes the first API token, and its file again if that was lost.
    async fn first_token(&self) -> Result<(), Error> {
        let path = self.settings().data_directory.join("token");
        // The file comes first: a token that nobody can read is worse than a file that opens nothing yet. A
        // server that died between the two is taken up here.
        let (token, is_new) = match tokio::fs::read_to_string(&path).await {
            Ok(text) => (Secret::new(text.trim().to_owned()), false),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                (private_file::make(&path, &identity::token())?, true)
            }
            Err(source) => return Err(Error::file("read", path)(source)),
        };
        let hash = identity::sha256_hex(token.expose().as_bytes());
        let created =
            self.store().create_first_token(identity::team(), &hash, clock::now()).await?;
        if is_new && !created {
            self.store().replace_token("admin", &hash).await?;
        }
        Ok(())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.inner.settings.faults
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn clusters_handle(&self) -> &Clusters {
        &self.inner.clusters
    }

    pub(crate) fn storages(&self) -> &Storages {
        &self.inner.storages
    }

    pub(crate) fn registries(&self) -> &Registries {
        &self.inner.registries
    }

    pub(crate) fn wakes(&self) -> &Queue<JobId> {
        &self.inner.wakes
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.inner.tracker
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.inner.codes
    }

    pub(crate) fn preparations(&self) -> &Preparations {
        &self.inner.preparations
    }

    pub(crate) fn explanations(&self) -> &Explanations {
        &self.inner.explanations
    }

    pub(crate) fn builds_queue(&self) -> &Builds {
        &self.inner.builds
    }

    pub(crate) fn steps_under_way(&self) -> &StepsUnderWay {
        &self.inner.steps_under_way
    }

    pub(crate) fn keeping(&self) -> &Keeping {
        &self.inner.keeping
    }

    pub(crate) fn image_libs(&self) -> &ImageLibs {
        &self.inner.image_libs
    }

    pub(crate) fn links(&self) -> &Links {
        &self.inner.links
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }
}
