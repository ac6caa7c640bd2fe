//! A port that a source listens at.

use flow::compliance::{Pairs, pairs};
use runtime::clock::Duration;
use runtime::net::TcpStream;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use tokio::time::sleep;

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A source that listens, and what was sent to it without an answer.
pub(crate) struct Port {
    pub(super) port: u16,
    pub(super) in_doubt: Rc<RefCell<BTreeSet<u64>>>,
}

impl Default for Port {
    fn default() -> Port {
        Port { port: free_port(), in_doubt: Rc::default() }
    }
}

impl Port {
    pub(super) fn keys(&self) -> Pairs {
        pairs([("bind", "127.0.0.1".to_owned()), ("port", self.port.to_string())])
    }

    pub(super) fn in_doubt(&self) -> BTreeSet<u64> {
        self.in_doubt.borrow().clone()
    }
}

/// Connects as soon as somebody listens; the suite bounds the wait.
pub(super) async fn connect(port: u16) -> TcpStream {
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}
