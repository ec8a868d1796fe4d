//! Counts the calls of the allocator that the gateway makes for one relayed call. The gateway runs in a thread of its own, on a runtime
//! that has no other, and only that thread is counted; client, upstream and issuer run in the thread that asks. So nothing that
//! depends on time is counted, and nothing of the peers.

use std::{net::SocketAddr, path::PathBuf, thread};

use anyhow::{Context, anyhow};
use causeway::app::{App, Listeners};
use causeway_bench::{
    candidate::{self, BETWEEN, Catalog},
    form::{Form, Request, Size},
    ground::{Ground, Programs, path},
    load::{Ask, Client, Entrance, Expected, Work},
    results::Counted,
};
use causeway_oidc::clock::Clock;
use tokio::{net::TcpListener, runtime, sync::oneshot};

/// Calls before those that are counted: tokens, connections, buffers and maps have their size by then.
const BEFORE: u64 = 300;
/// Calls that are counted. What happens once in a while is a part of the average.
const COUNTED: u64 = 500;

/// What a call in `form` costs, with a small result, a JWT that is known and a token of client_credentials that is cached.
///
/// # Errors
/// The gateway does not start, or does not answer as it should.
pub fn of_a_call(form: Form) -> anyhow::Result<Counted> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(count(form))
}

async fn count(form: Form) -> anyhow::Result<Counted> {
    let nothing = Programs { causeway: PathBuf::new(), nginx: PathBuf::new(), peers: None };
    let ground = Ground::prepare(nothing, 0, 0).await?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port")?;
    let address = listener.local_addr()?;
    let catalog = Catalog {
        name: "counted".to_owned(),
        targets: vec![("target".to_owned(), path(form, true))],
        guarded: true,
        limits: String::new(),
    };
    let text = candidate::configuration(&ground, &catalog, address);
    let ((begin, begun), (end, ended)) = (oneshot::channel(), oneshot::channel());
    let gateway = thread::spawn(move || gateway(&text, listener, begun, ended));
    let work = work(&ground, form, address);
    candidate::answers(&work, None).await?;
    let mut client = Client::open(0, &work).await?;
    client.send(BEFORE).await?;
    let gone = |()| anyhow!("the gateway has ended");
    begin.send(()).map_err(gone)?;
    client.send(COUNTED).await?;
    end.send(()).map_err(gone)?;
    let counted = tokio::task::spawn_blocking(move || gateway.join()).await?;
    counted.map_err(|_| anyhow!("the gateway has panicked"))?
}

/// Runs a gateway until it has `ended`; what was counted from `begun` on.
fn gateway(
    text: &str,
    listener: std::net::TcpListener,
    begun: oneshot::Receiver<()>,
    ended: oneshot::Receiver<()>,
) -> anyhow::Result<Counted> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    listener.set_nonblocking(true)?;
    runtime.block_on(async {
        let app = App::build(candidate::resolved(text)?, Clock::system())?;
        let listeners = Listeners { gateway: TcpListener::from_std(listener)?, admin: None };
        tokio::spawn(app.run(listeners, std::future::pending()));
        begun.await.context("nobody calls")
    })?;
    let counted = allocation_counter::measure(|| {
        // Whoever calls has failed, and says so, if the other end is gone.
        let _ = runtime.block_on(ended);
    });
    let each = |total: u64| total as f64 / COUNTED as f64;
    Ok(Counted { allocations: each(counted.count_total), bytes: each(counted.bytes_total) })
}

fn work(ground: &Ground, form: Form, address: SocketAddr) -> Work {
    let tool = ["target", BETWEEN, Size::Small.tool()].concat();
    Work {
        entrance: Entrance { address, path: "/mcp".to_owned(), token: Some(ground.issuer.caller_token()) },
        ask: Ask::Message(form.speaks, Request::call(form.speaks, &tool)),
        expected: Expected::Result { size: Size::Small, verbatim: Some(form.speaks) },
    }
}
