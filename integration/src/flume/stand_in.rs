//! A collector of the tests' own: takes events as an Avro source does and remembers them as they came.

use super::avro::{self, Call, Event, Meta};
use crate::ports;
use std::{
    collections::VecDeque,
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Listens on a loopback port until dropped; [`StandIn::close`] and [`StandIn::open`] take it down and up again.
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<Door>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    statuses: VecDeque<i64>,
    welcome: Option<Meta>,
    hold: Duration,
    impatient: usize,
}

/// One life of the listener with its connections.
struct Door {
    closed: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    thread: thread::JoinHandle<()>,
}

impl StandIn {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none.
    pub fn listen() -> io::Result<StandIn> {
        let listener = ports::listen()?; // it is to be free after `close` as well
        let mut stand_in = StandIn { address: listener.local_addr()?, shared: Arc::default(), door: None };
        stand_in.door = Some(stand_in.serve(listener));
        Ok(stand_in)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the next calls with these statuses instead of `OK`; nothing of a call that is refused is kept.
    pub fn answer(&self, statuses: &[i64]) {
        self.lock().statuses.extend(statuses);
    }

    /// Puts `meta` into its part of each handshake and into each answer.
    pub fn welcome(&self, meta: Meta) {
        self.lock().welcome = Some(meta);
    }

    /// Holds each answer back for so long, and counts the calls behind which more came before it was given.
    pub fn hold(&self, each: Duration) {
        self.lock().hold = each;
    }

    /// Calls behind which more came before they were answered.
    pub fn impatient(&self) -> usize {
        self.lock().impatient
    }

    /// The events taken so far, in order.
    pub fn events(&self) -> Vec<Event> {
        self.lock().calls.iter().flat_map(|call| call.events.clone()).collect()
    }

    /// The calls taken so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Waits until at least `count` events are there; `false` when `timeout` came first.
    pub fn wait_for(&self, count: usize, timeout: Duration) -> bool {
        let short =
            |state: &mut State| state.calls.iter().map(|call| call.events.len()).sum::<usize>() < count;
        let waited = self.shared.changed.wait_timeout_while(self.lock(), timeout, short);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Ends all connections and listens no more, as a killed collector.
    pub fn close(&mut self) {
        let Some(door) = self.door.take() else { return };
        door.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the thread that accepts
        for stream in door.streams.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // the peer may have ended it
        }
        let _ = door.thread.join();
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When somebody else took the port meanwhile.
    pub fn open(&mut self) -> io::Result<()> {
        if self.door.is_none() {
            self.door = Some(self.serve(ports::listen_again(self.address)?));
        }
        Ok(())
    }

    fn serve(&self, listener: TcpListener) -> Door {
        let (closed, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (shared, seen, open) = (self.shared.clone(), closed.clone(), streams.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if seen.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(copy) = stream.try_clone() {
                    open.lock().unwrap_or_else(PoisonError::into_inner).push(copy);
                }
                let shared = shared.clone();
                thread::spawn(move || shared.talk(stream));
            }
        });
        Door { closed, streams, thread }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn talk(&self, mut stream: TcpStream) {
        let mut greeted = false;
        while let Ok(Some(call)) = avro::read_call(&mut stream, greeted) {
            let (welcome, status, hold) = {
                let mut state = self.lock();
                (state.welcome.clone(), state.statuses.pop_front().unwrap_or(0), state.hold)
            };
            greeted = true;
            if !hold.is_zero() && more_comes(&stream, hold) {
                self.lock().impatient += 1;
            }
            // Under one lock: who has the answer finds the call among those that are taken.
            let mut state = self.lock();
            if avro::write_answer(&mut stream, &call, welcome.as_ref(), status).is_err() {
                return;
            }
            if status == 0 {
                state.calls.push(call);
                self.changed.notify_all();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it looked has broken nothing here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the peer sends anything while it is waited for.
fn more_comes(stream: &TcpStream, wait: Duration) -> bool {
    let peek = || -> io::Result<bool> {
        stream.set_read_timeout(Some(wait))?;
        let more = stream.peek(&mut [0]);
        stream.set_read_timeout(None)?;
        Ok(more.is_ok_and(|bytes| bytes > 0))
    };
    peek().unwrap_or_default()
}
