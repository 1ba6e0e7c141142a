//! Each file adds one thing to the JobManager's pod and the objects that belong to it. The order is
//! Flink's and matters: the internal Service and Kerberos write keys that the configuration's
//! `ConfigMap` must hold.

mod claims;
mod env_secrets;
mod flink_configuration;
mod hadoop;
mod init;
mod internal_service;
mod kerberos;
mod pod_template;
mod rest_service;
mod secrets;
mod start_command;
mod start_line;

use crate::{
    Error,
    feature::{
        CLAIM_MOUNTS, DECORATOR_SWITCHES, ENV_FROM_SECRETS, KERBEROS, POD_TEMPLATES, SECRET_MOUNTS,
    },
    render::Render,
};

pub(crate) use flink_configuration::VOLUME as CONFIGURATION_VOLUME;

pub(crate) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    init::decorate(render)?;
    if render.has(ENV_FROM_SECRETS) {
        env_secrets::decorate(render)?;
    }
    if render.has(SECRET_MOUNTS) {
        secrets::decorate(render)?;
    }
    if render.has(CLAIM_MOUNTS) {
        claims::decorate(render)?;
    }
    start_command::decorate(render)?;
    internal_service::decorate(render)?;
    rest_service::decorate(render)?;
    if is_enabled(render, "kubernetes.decorator.hadoop-conf-mount.enabled")? {
        hadoop::decorate(render)?;
    }
    if render.has(KERBEROS) && is_enabled(render, "kubernetes.decorator.kerberos-mount.enabled")? {
        kerberos::decorate(render)?;
    }
    flink_configuration::decorate(render)?;
    if render.has(POD_TEMPLATES) {
        pod_template::decorate(render)?;
    }
    Ok(())
}

fn is_enabled(render: &Render<'_>, switch: &str) -> Result<bool, Error> {
    Ok(!render.has(DECORATOR_SWITCHES) || render.flag(switch)?)
}
