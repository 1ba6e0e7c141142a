//! The keys that Flink's client writes into the configuration before it makes objects, in its order.

mod application;
pub(crate) mod cluster;

use flumen_flink_conf::{Configuration, Value};

use crate::{DeploySpec, Error, Mode, Warning, keys};

/// The effective configuration with everything that Flink's client adds before it makes objects, and
/// a warning for every value of the user's that it writes over, as the real client does.
///
/// # Errors
/// If a port or the target cannot be what the user gave, or Python is too new for the version.
pub fn client_keys(spec: &DeploySpec) -> Result<(Configuration, Vec<Warning>), Error> {
    let mut writer = Writer { configuration: spec.configuration.clone(), warnings: Vec::new() };
    let target = spec.mode.target();
    match (writer.configuration.get(keys::TARGET), &spec.mode) {
        (None, _) | (_, Mode::Session) => writer.configuration.set_text(keys::TARGET, target),
        (Some(given), Mode::Application(_)) => {
            let given = given.to_text(spec.configuration.format());
            if !given.eq_ignore_ascii_case(target) {
                return Err(Error::WrongTarget { target: given.into_owned() });
            }
        }
    }
    if let Mode::Application(application) = &spec.mode {
        application::write(&mut writer, application, spec.version.minor())?;
    }
    cluster::write(&mut writer, spec)?;
    Ok((writer.configuration, writer.warnings))
}

/// Writes keys and notes which values of the user's go under.
struct Writer {
    configuration: Configuration,
    warnings: Vec<Warning>,
}

impl Writer {
    fn write(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        let format = self.configuration.format();
        if let Some(given) = self.configuration.get(key) {
            let (given, written) = (given.to_text(format), value.to_text(format));
            if given != written {
                self.warnings.push(Warning::Replaced {
                    key: key.to_owned(),
                    given: given.into_owned(),
                    written: written.into_owned(),
                });
            }
        }
        self.configuration.set(key, value);
    }
}
