//! Answers those who ask, on a thread of its own: it answers also when the rest of the agent hangs.

use crate::http::{self, Method, Reply, Request, Wrong};
use crate::lag;
use crate::settings::{Http, Page};
use crate::view::View;
use crate::{json, text};
use bytes::BytesMut;
use flow::counters::Registry;
use runtime::clock::{self, Duration, Instant};
use runtime::net::{Guest, Listener, NotTaken, Stream, TcpStream};
use runtime::ready::Ready;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// What all connections share.
struct Shared {
    settings: Http,
    view: RefCell<View>,
    log: slog::Logger,
    /// Files are being looked at: nobody begins a second time.
    looking: Arc<AtomicBool>,
}

/// Serves for ever.
pub(crate) async fn serve(settings: Http, registry: Registry, log: slog::Logger) {
    let view = RefCell::new(View::new(registry, settings.patience));
    let shared = Rc::new(Shared { settings, view, log, looking: Arc::default() });
    tokio::task::spawn_local(look(shared.clone()));
    let (tell, _ready) = mpsc::unbounded_channel();
    let place = &shared.settings.place;
    let mut listener = Listener::open("monitoring", place, &mut Ready::new(tell), &shared.log).await;
    slog::info!(shared.log, "monitoring: answers at {}:{}", place.bind, place.port);
    loop {
        let (stream, guest) = listener.accept().await;
        tokio::task::spawn_local(converse(shared.clone(), stream, guest));
    }
}

/// Looks at the channels and the followed files every second.
async fn look(shared: Rc<Shared>) {
    let mut beat = interval(LOOK);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        shared.view.borrow_mut().look(clock::now());
        shared.look_at_files().await;
    }
}

async fn converse(shared: Rc<Shared>, stream: TcpStream, guest: Guest) {
    let door = guest.door();
    let stream = match shared.settings.layers.accept(stream).await {
        Ok(layered) => layered.stream,
        Err(NotTaken::Silent) => return,
        Err(NotTaken::Mismatch(text)) => {
            return slog::debug!(shared.log, "monitoring: {}: {text}", guest.peer());
        }
    };
    tokio::select! {
        // Whoever asks sees for itself that the connection has ended.
        _ended = answer_all(&shared, stream, &guest) => {}
        _ = door.sent_away() => {}
    }
}

async fn answer_all(shared: &Rc<Shared>, mut stream: Stream, guest: &Guest) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(1024);
    loop {
        let (reply, method, keep) = match next(shared, &mut stream, &mut input).await? {
            None => return Ok(()),
            Some(Ok(request)) => (shared.reply(&request).await, request.method, request.keep),
            Some(Err(Wrong::TooLarge)) => (Reply::plain(431, "the request is too large"), Method::Get, false),
            Some(Err(Wrong::Malformed)) => (Reply::plain(400, "this is no HTTP request"), Method::Get, false),
        };
        guest.heard(clock::now());
        timeout(WRITE_WITHIN, async {
            stream.write_all(&reply.encode(method, keep)).await?;
            stream.flush().await
        })
        .await??;
        if !keep {
            return stream.shutdown().await;
        }
    }
}

/// The next request; `None` when the peer goes or says nothing.
async fn next(
    shared: &Shared,
    stream: &mut Stream,
    input: &mut BytesMut,
) -> io::Result<Option<Result<Request, Wrong>>> {
    let idle = shared.settings.place.idle_limit.unwrap_or(MOST_IDLE).min(MOST_IDLE);
    // From its first byte on a request has little time.
    let mut begun: Option<Instant> = (!input.is_empty()).then(clock::now);
    loop {
        match http::next(input) {
            Ok(None) => {}
            Ok(Some(request)) => return Ok(Some(Ok(request))),
            Err(wrong) => return Ok(Some(Err(wrong))),
        }
        let left = match begun {
            Some(begun) => (begun + REQUEST_WITHIN).saturating_duration_since(clock::now()),
            None => idle,
        };
        match timeout(left, stream.read_buf(input)).await {
            Ok(Ok(0)) | Err(_) => return Ok(None),
            Ok(read) => read?,
        };
        begun.get_or_insert_with(clock::now);
    }
}

impl Shared {
    async fn reply(&self, request: &Request) -> Reply {
        if request.method == Method::Other {
            return Reply::plain(405, "only GET and HEAD are answered");
        }
        if let Some(token) = &self.settings.token
            && !request.token.as_deref().is_some_and(|given| token.is(given))
        {
            return Reply::plain(401, "send the token: Authorization: Bearer TOKEN");
        }
        let registry = self.view.borrow().registry.clone();
        match request.path.to_ascii_lowercase().as_str() {
            "/metrics" if self.settings.page == Page::Json => Reply {
                status: 200,
                kind: "application/json;charset=utf-8",
                body: json::text(&registry, registry.elsewhere().await),
            },
            "/metrics" | "/metrics/prometheus" => {
                self.look_at_files().await;
                let elsewhere = registry.elsewhere().await;
                let body = text::text(&self.view.borrow(), elsewhere, clock::now());
                Reply { status: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body }
            }
            "/health" => {
                let complaints = self.view.borrow().complaints(clock::now());
                match complaints.is_empty() {
                    true => Reply::plain(200, "OK"),
                    false => Reply::plain(503, complaints.join("\n")),
                }
            }
            "/" => Reply { status: 200, kind: "text/html; charset=utf-8", body: INDEX.to_owned() },
            _ => Reply::plain(404, "there are /metrics, /metrics/prometheus and /health"),
        }
    }

    /// Looks at the followed files, unless somebody does or the file system does not answer in time.
    async fn look_at_files(&self) {
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let registry = self.view.borrow().registry.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        let looking = self.looking.clone();
        tokio::task::spawn_blocking(move || {
            let seen = lag::look(&registry);
            looking.store(false, Ordering::Release);
            tell.send(seen)
        });
        if let Ok(Ok(seen)) = timeout(FILES_WITHIN, told).await {
            self.view.borrow_mut().files.look(seen, clock::now());
        }
    }
}

const INDEX: &str = "<html><body><a href=\"/metrics\">/metrics</a> <a href=\"/metrics/prometheus\">/metrics/prometheus</a> \
    <a href=\"/health\">/health</a></body></html>\n";
const LOOK: Duration = Duration::from_secs(1);
const MOST_IDLE: Duration = Duration::from_secs(120);
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const FILES_WITHIN: Duration = Duration::from_millis(500);
