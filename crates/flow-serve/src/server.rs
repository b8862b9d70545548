//! A server of one model.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use flow_model::Model;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::error::ServeError;
use crate::routes;
use crate::settings::Settings;

/// A model behind HTTP.
///
/// Its requests for samples are drawn together where they have the same settings, and each gets the
/// numbers that its own seed gives alone.
pub struct Server {
    app: Arc<App>,
    settings: Settings,
}

impl Server {
    /// A server of a model, whose network thread starts at once.
    ///
    /// # Errors
    /// When the model has kept a damaged table, or no thread can be had.
    pub fn new(model: Model, settings: Settings) -> Result<Self, ServeError> {
        Ok(Self { app: Arc::new(App::new(model, settings.clone())?), settings })
    }

    /// All routes, for a program with a listener of its own. Settings are checked by
    /// [`run`](Self::run) alone.
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.app))
    }

    /// Listens and answers until the process is told to stop by Ctrl-C or SIGTERM. Then requests
    /// that have come are answered, within the time that they may take, and no new ones are taken;
    /// a second signal ends it at once.
    ///
    /// `ready` is told the address, whose port is one that was free if 0 was asked for.
    ///
    /// # Errors
    /// When the settings cannot work, the address is taken, or the system gives no thread.
    pub fn run(
        self,
        address: SocketAddr,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<(), ServeError> {
        self.settings.check(address)?;
        let run = |source| ServeError::Run { source };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(run)?;
        runtime.block_on(async {
            let listen = |source| ServeError::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(listen)?;
            let mut signals = Signals::new().map_err(run)?;
            ready(listener.local_addr().map_err(run)?);
            let (stop, mut stopped) = watch::channel(());
            let serve = axum::serve(listener, self.router()).with_graceful_shutdown(async move {
                let _ = stopped.changed().await;
            });
            let serve = serve.into_future();
            let time = self.settings.limits.time;
            let ending = async {
                signals.next().await;
                let _ = stop.send(());
                tokio::select! {
                    () = signals.next() => {}
                    () = tokio::time::sleep(time) => {}
                }
            };
            tokio::select! {
                served = serve => served.map_err(run),
                () = ending => Ok(()),
            }
        })
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "as on Unix"))]
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
