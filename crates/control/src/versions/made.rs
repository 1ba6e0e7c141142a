//! A base image that is made here, from a distribution.

use std::path::PathBuf;

use flumen_flink_dist::{BaseImage, Distribution, Java, PyFlink};
use flumen_image::{Attributes, Build, Compression, Content, Layer, LayerBuilder, Reference};
use flumen_model::ImagePython;
use flumen_store::Operation;

use super::{DISTRIBUTION, PUSH, REPOSITORY, Request, VersionSource};
use crate::{Control, Error, actions, progress};

pub(super) async fn distribution(
    control: &Control,
    operation: &Operation,
    request: &Request,
) -> Result<Distribution, Error> {
    match &request.source {
        VersionSource::Directory(path) => Ok(Distribution::open(path, request.version)?),
        VersionSource::Image(_) => {
            let message = "an image has no distribution".to_owned();
            Err(Error::Invalid { message })
        }
        VersionSource::PythonPackages => {
            let settings =
                flumen_flink_dist::Settings::new(control.settings().cache_directory.clone());
            let (control, id) = (control.clone(), operation.id);
            let (lines, mut said) = tokio::sync::mpsc::unbounded_channel::<String>();
            let note = async move {
                while let Some(line) = said.recv().await {
                    if let Err(error) =
                        control.store().note_step(id, DISTRIBUTION, Some(&line), None).await
                    {
                        tracing::debug!(error = %error, "a progress line was not written down");
                    }
                }
            };
            let work = async move {
                // The listener ends when the sender is dropped with this closure.
                let say = move |line: &str| drop(lines.send(line.to_owned()));
                flumen_flink_dist::download(request.version, &settings, &say).await
            };
            let (distribution, ()) = tokio::join!(work, note);
            Ok(distribution?)
        }
    }
}

/// What the base image holds, and its Python, if it gets `PyFlink`.
pub(super) async fn base_image(
    distribution: &Distribution,
    java: &Java,
    pyflink: Option<PathBuf>,
) -> Result<(BaseImage, Option<ImagePython>), Error> {
    let base = BaseImage::of(distribution, java)?;
    let Some(directory) = pyflink else { return Ok((base, None)) };
    let version = distribution.version();
    let made = tokio::task::spawn_blocking(move || {
        let pyflink = PyFlink::open(&directory, version)?;
        let python = pyflink.python().clone();
        Ok::<_, flumen_flink_dist::Error>((base.with_pyflink(&pyflink)?, Some(python)))
    });
    let interrupted = |_| flumen_flink_dist::Error::Interrupted { step: "looking at PyFlink" };
    Ok(made.await.map_err(interrupted)??)
}

pub(super) async fn layers(
    control: &Control,
    base: &BaseImage,
    request: &Request,
) -> Result<Vec<Layer>, Error> {
    use flumen_flink_dist::Content as From;

    let mut layers = Vec::new();
    for (place, files) in base.layers.iter().enumerate() {
        let mut builder = LayerBuilder::new();
        for file in files {
            let content = match &file.content {
                From::File(path) => Content::File(path.clone()),
                From::Text(text) => Content::Bytes(text.as_bytes().to_vec()),
                From::Directory => Content::Directory,
            };
            builder.add(&file.path, content, Attributes::mode(file.mode))?;
        }
        let path = actions::scratch(control, &format!("flink-{}-{place}", request.version)).await?;
        layers.push(builder.write(Compression::Zstd, path).await?);
    }
    Ok(layers)
}

/// Pushes the image and returns it by digest, without the registry's address.
pub(super) async fn push(
    control: &Control,
    operation: &Operation,
    registry: &str,
    base: &BaseImage,
    layers: &[Layer],
    request: &Request,
) -> Result<String, Error> {
    let target: Reference =
        format!("{registry}/{REPOSITORY}:{}", request.version).parse().map_err(Error::from)?;
    let flumen_flink_dist::Configuration {
        environment,
        entrypoint,
        command,
        working_directory,
        labels,
        exposed_ports,
    } = base.configuration.clone();
    let configuration = flumen_image::Configuration {
        environment,
        entrypoint,
        command,
        working_directory: Some(working_directory),
        user: None,
        labels,
        exposed_ports,
    };
    let build = Build { target: &target, layers, configuration: &configuration };
    let client = control.registries().client(target.registry()).await?;
    let telling = control.steps_under_way().begin(operation.id, PUSH);
    let progress = progress::of_image(Some(telling));
    let building = client.build(&build, &progress);
    let pushed = actions::push(control, registry, building).await?;
    Ok(format!("{REPOSITORY}@{}", pushed.digest))
}
