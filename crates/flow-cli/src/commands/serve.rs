//! `flow serve`: a model behind HTTP.

use anyhow::Result;
use flow_model::Registry;

use crate::args::ServeArgs;

#[cfg(feature = "serve")]
pub(crate) fn run(args: &ServeArgs, registry: &Registry) -> Result<()> {
    use flow_run::Place;
    use flow_serve::{Limits, Server, Settings};

    use crate::terminal::{print, say};

    let limits = Limits {
        n: args.max_n,
        steps: args.max_steps,
        body: args.max_body,
        queue: args.max_queue,
        time: Limits::time_of(args.timeout)?,
        ..Limits::default()
    };
    let settings = Settings { limits, token: args.token.clone() };
    let address = (args.host, args.port).into();
    // What cannot be listened on is refused before a model is read.
    settings.check(address)?;
    let device = args.compute.open()?;
    let model = Place::open(registry, &args.model, &device)?.model(&device)?;
    let server = Server::new((*model).clone(), settings)?;
    let mut printed = Ok(());
    server.run(address, |address| printed = print(&format!("http://{address}")))?;
    say("stopped");
    printed
}

#[cfg(not(feature = "serve"))]
pub(crate) fn run(_: &ServeArgs, _: &Registry) -> Result<()> {
    Err(crate::exit::usage!(
        "this `flow` was built without its server: build it with `cargo install --locked --path \
         crates/flow-cli --features serve`, or use `cargo xtask serve`"
    ))
}
