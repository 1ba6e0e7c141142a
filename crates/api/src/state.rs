use std::sync::Arc;

use flumen_control::Control;
use tokio_util::sync::CancellationToken;

use crate::Settings;

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) control: Control,
    pub(crate) settings: Arc<Settings>,
    /// Ends the streams, which would otherwise keep a server from stopping.
    pub(crate) stop: CancellationToken,
}
