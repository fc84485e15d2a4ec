//! What the commands that look into wheels need, and no solve.

use std::cell::OnceCell;

use super::super::args::{ResolveArgs, WheelArgs};
use super::super::base::Opened;
use super::super::error::CliError;
use super::super::recorded::Recorded;
use super::super::settings;
use super::{Lazy, authentication, cache, client_options, indexes, places, target};
use crate::Target;
use crate::fetch::freshness::Refresh;
use crate::fetch::{Registry, RegistryOptions};
use crate::request::Inputs;

/// What the commands that look into wheels need: a target and an index, each made ready
/// when it is asked for.
pub(crate) struct WheelSession {
    args: ResolveArgs,
    registry: OnceCell<Registry>,
}

impl WheelSession {
    /// Reads the settings; nothing else is done yet.
    pub(crate) fn open(args: &WheelArgs) -> Result<Self, CliError> {
        let args = args.resolve();
        let args = match settings::settings(&args, None)? {
            Some(settings) => settings::resolve(&args, &settings),
            None => args,
        };
        Ok(Self {
            args,
            registry: OnceCell::new(),
        })
    }

    /// The target: the one that is named, or this machine.
    pub(crate) fn target(&self) -> Result<Target, CliError> {
        let interpreter = Lazy::new(&self.args);
        target(
            &self.args,
            &Recorded::default(),
            &Inputs::default(),
            &interpreter,
            &Opened::default(),
        )
    }

    /// The indexes.
    pub(crate) fn registry(&self) -> Result<&Registry, CliError> {
        if let Some(registry) = self.registry.get() {
            return Ok(registry);
        }
        let wrong = |error: crate::fetch::FetchError| CliError::usage(error.to_string());
        let args = &self.args;
        let places = places(args, &Inputs::default());
        let registry = Registry::new(RegistryOptions {
            client: client_options(args)?,
            auth: authentication(args)?,
            indexes: indexes(args, &places).map_err(wrong)?,
            cache: cache(args)?,
            pack: None,
            likely: None,
            refresh: if args.refresh {
                Refresh::All
            } else {
                Refresh::None
            },
            guesses: None,
        });
        Ok(self.registry.get_or_init(|| registry))
    }
}

/// A target in words.
pub(crate) fn declared(python: &str, platform: &str) -> Result<Target, CliError> {
    Target::declared(python, platform).map_err(|error| CliError::usage(error.to_string()))
}
