//! Connections: how many there are, and for how long a client may keep one waiting.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::patient::Patient;
use crate::settings::Limits;

/// Pause after a connection that cannot be taken, as where there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers on all connections of a listener until `stop` is ready, and then what has come.
///
/// One that is idle, or of which no whole header comes, is closed after [`Limits::patience`]; while
/// there are [`Limits::connections`], further ones wait to be taken.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) {
    let most = limits.most_connections();
    let places = Arc::new(Semaphore::new(most as usize));
    let (stopping, stopped) = watch::channel(());
    let accept = async {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    tokio::spawn(connection(stream, router, limits.patience, stopped, place));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    let _ = stopping.send(());
    // Each connection holds its place until it ends.
    let _ = places.acquire_many(most).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    patience: Duration,
    mut stopped: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience);
    let stream = TokioIo::new(Patient::new(stream, patience));
    let mut connection = pin!(builder.serve_connection(stream, TowerToHyperService::new(router)));
    // What fails on a connection is its client's, who has left or said no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
