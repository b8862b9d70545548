//! A server of one model.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use flow_model::Model;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::connections;
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
        let settings = Settings { limits: settings.limits.within_a_day(), ..settings };
        Ok(Self { app: Arc::new(App::new(model, settings.clone())?), settings })
    }

    /// All routes, for a program that takes connections by itself. Settings are checked by
    /// [`run`](Self::run) alone, and the limits of connections are those of
    /// [`serve`](Self::serve). Without a token, requests by the name of another host than
    /// `localhost` are refused: see [`Settings::token`].
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.app))
    }

    /// Answers what comes to a listener until `stop` is ready. Then no more is taken, requests that
    /// have come are answered within the time that they may take, and their answers are sent for as
    /// long as somebody reads them, at most [`Limits::patience`](crate::Limits::patience) longer.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (limits, router) = (&self.settings.limits, self.router());
        let (told, mut stopping) = watch::channel(());
        let stop = async {
            stop.await;
            let _ = told.send(());
        };
        let late = async {
            let _ = stopping.changed().await;
            let _ = tokio::time::timeout(limits.time, self.app.idle()).await;
            tokio::time::sleep(limits.patience).await;
        };
        tokio::select! {
            () = connections::serve(listener, router, limits, stop) => {}
            () = late => {}
        }
    }

    /// Listens and answers, as [`serve`](Self::serve) does, until the process is told to stop by
    /// Ctrl-C or SIGTERM; a second signal ends it at once.
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
            let (mut first, mut second) =
                (Signals::new().map_err(run)?, Signals::new().map_err(run)?);
            ready(listener.local_addr().map_err(run)?);
            let twice = async {
                second.next().await;
                second.next().await;
            };
            tokio::select! {
                () = self.serve(listener, first.next()) => {}
                () = twice => {}
            }
            Ok(())
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
