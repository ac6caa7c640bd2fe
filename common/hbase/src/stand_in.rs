//! Two servers of HBase and a ZooKeeper that a test speaks for.

use crate::wire;
use crate::wire::message::{
    Action, Cell, ExceptionResponse, GetResponse, INCREMENT, MetaRegionServer, MultiRequest, MultiResponse,
    Mutation, NameBytesPair, RegionActionResult, RegionInfo, RequestHeader, ResponseHeader,
    ResultOrException, RowResult, ScanRequest, ScanResponse, ServerName, TableState,
};
use bytes::Bytes;
use prost::Message;
use rpc::zookeeper::{Ensemble, stand_in as zookeeper};
use runtime::net::{TcpListener, TcpStream};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a server does with a call of mutations, in place of doing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Does it after all.
    Done,
    /// Closes the connection.
    Gone,
    /// Does it, and closes the connection without an answer.
    DoneThenGone,
    /// Does it, and never answers.
    DoneThenSilence,
    /// Fails the call, with whether it is the final word.
    Call(&'static str, bool),
    /// Fails each region.
    Region(&'static str),
    /// Fails the rows with this value.
    Row(&'static str, &'static str),
}

/// Region by number: first row, row behind the last, which of the servers.
type Region = (String, String, usize);

#[derive(Default)]
struct State {
    ports: Vec<u16>,
    regions: Vec<Region>,
    /// How often the regions have changed: their names tell.
    age: u32,
    disabled: bool,
    no_node: bool,
    steps: VecDeque<Step>,
    rows: BTreeMap<Bytes, String>,
    counter: i64,
    nonces: HashSet<(u64, u64)>,
}

#[derive(Clone)]
pub(crate) struct Hbase {
    pub(crate) ensemble: Ensemble,
    state: Arc<Mutex<State>>,
}

impl Hbase {
    /// With a table of one region.
    pub(crate) async fn start() -> Hbase {
        let (listener, ensemble) = zookeeper::listen().await;
        let hbase = Hbase { ensemble, state: Arc::default() };
        for number in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            hbase.with(|state| state.ports.push(listener.local_addr().expect("it has one").port()));
            tokio::spawn(hbase.clone().serve(listener, number));
        }
        hbase.regions(&[("", "", 0)]);
        tokio::spawn(hbase.clone().serve_zookeeper(listener));
        hbase
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().expect("no test panics within"))
    }

    pub(crate) fn regions(&self, regions: &[(&str, &str, usize)]) {
        let regions =
            regions.iter().map(|(start, end, server)| ((*start).to_owned(), (*end).to_owned(), *server));
        self.with(|state| {
            state.regions = regions.collect();
            state.age += 1;
        });
    }

    pub(crate) fn script(&self, steps: &[Step]) {
        self.with(|state| state.steps = steps.iter().copied().collect());
    }

    pub(crate) fn disable(&self, disabled: bool) {
        self.with(|state| state.disabled = disabled);
    }

    pub(crate) fn without_node(&self) {
        self.with(|state| state.no_node = true);
    }

    /// The values of all rows, in order of the alphabet.
    pub(crate) fn values(&self) -> Vec<String> {
        let mut values: Vec<String> = self.with(|state| state.rows.values().cloned().collect());
        values.sort();
        values
    }

    pub(crate) fn count(&self) -> i64 {
        self.with(|state| state.counter)
    }

    async fn serve_zookeeper(self, listener: TcpListener) {
        loop {
            let (address, state) = (self.with(|state| state.ports[0]), 3);
            let server = ServerName { host: "127.0.0.1".to_owned(), port: Some(address.into()) };
            let message = MetaRegionServer { server: Some(server), state: Some(state) };
            let node = [&[0xff, 0, 0, 0, 0][..], b"PBUF", &message.encode_to_vec()].concat();
            let mut stream = zookeeper::greet(&listener, 60_000).await;
            if self.with(|state| state.no_node) {
                let get = zookeeper::asked(&mut stream).await;
                zookeeper::say(&mut stream, &zookeeper::head(&get, -101)).await;
            } else {
                zookeeper::give(&mut stream, &node).await;
            }
        }
    }

    async fn serve(self, listener: TcpListener, number: usize) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().talk(stream, number));
        }
    }

    async fn talk(self, mut stream: TcpStream, number: usize) -> Option<()> {
        let mut head = [0; 10];
        stream.read_exact(&mut head).await.ok()?;
        assert_eq!(&head[..6], b"HBas\0\x50");
        let mut header = vec![0; u32::from_be_bytes([head[6], head[7], head[8], head[9]]) as usize];
        stream.read_exact(&mut header).await.ok()?;
        loop {
            let length = stream.read_u32().await.ok()?;
            let mut frame = vec![0; length as usize];
            stream.read_exact(&mut frame).await.ok()?;
            let mut frame = Bytes::from(frame);
            let header = RequestHeader::decode_length_delimited(&mut frame).expect("a header");
            let (exception, body) = match header.method.as_str() {
                "Scan" => (None, self.scan(ScanRequest::decode_length_delimited(frame).expect("a scan"))),
                "Get" => (None, self.table_state()),
                "Multi" => {
                    let request = MultiRequest::decode_length_delimited(&mut frame).expect("a multi");
                    let block = header.cells.as_ref().and_then(|cells| cells.length).unwrap_or(0);
                    assert_eq!(frame.len(), block as usize, "behind the request are its cells");
                    let step = self.with(|state| state.steps.pop_front());
                    match step {
                        Some(Step::Gone) => return None,
                        Some(Step::Call(class, do_not_retry)) => {
                            let class = class.to_owned();
                            (Some(ExceptionResponse { class, trace: String::new(), do_not_retry }), vec![])
                        }
                        step => {
                            let answer = self.multi(&request, frame, number, step);
                            match step {
                                Some(Step::DoneThenGone) => return None,
                                Some(Step::DoneThenSilence) => pending().await,
                                _ => (None, answer.encode_length_delimited_to_vec()),
                            }
                        }
                    }
                }
                other => panic!("{other}"),
            };
            let header = ResponseHeader { call_id: header.call_id, exception };
            let answer = [header.encode_length_delimited_to_vec(), body].concat();
            stream.write_u32(answer.len() as u32).await.ok()?;
            stream.write_all(&answer).await.ok()?;
        }
    }

    fn name(state: &State, number: usize) -> String {
        format!("t,{},{}.{number}.", state.regions[number].0, state.age)
    }

    fn scan(&self, request: ScanRequest) -> Vec<u8> {
        let scan = request.scan.expect("a scan");
        assert!(scan.reversed && scan.stop == "t,,");
        let row = scan.start.strip_prefix(b"t,").and_then(|row| row.strip_suffix(b",99999999999999"));
        let row = row.expect("a row");
        let rows = self.with(|state| {
            let found = (0..state.regions.len()).rev().find(|at| state.regions[*at].0.as_bytes() <= row)?;
            let (start, end, server) = state.regions[found].clone();
            let info = RegionInfo { start: start.into(), end: end.into(), offline: false, split: false };
            let cell = |qualifier: &'static str, value: Vec<u8>| Cell {
                row: Hbase::name(state, found).into(),
                family: "info".into(),
                qualifier: qualifier.into(),
                value: value.into(),
            };
            let address = format!("127.0.0.1:{}", state.ports[server]);
            let info = [&b"PBUF"[..], &info.encode_to_vec()].concat();
            Some(RowResult { cells: vec![cell("regioninfo", info), cell("server", address.into_bytes())] })
        });
        ScanResponse { rows: rows.into_iter().collect() }.encode_length_delimited_to_vec()
    }

    fn table_state(&self) -> Vec<u8> {
        let state = TableState { state: self.with(|state| state.disabled).into() };
        let cell = Cell { value: state.encode_to_vec().into(), ..Cell::default() };
        GetResponse { row: Some(RowResult { cells: vec![cell] }) }.encode_length_delimited_to_vec()
    }

    /// A mutation and the first of its values, which may be one of `cells`.
    fn mutation(action: &Action, cells: &mut Bytes) -> (Mutation, Bytes) {
        let mutation = Mutation::decode(action.mutation.clone()).expect("a mutation");
        let mut values = mutation.columns.iter().flat_map(|column| &column.values);
        let mut value = values.next().and_then(|value| value.value.clone());
        for _ in 0..mutation.cells.unwrap_or(0) {
            let (cell, rest) = wire::Cell::read(cells).expect("a cell");
            assert_eq!((Some(cell.row), cell.family), (mutation.row.as_deref(), &b"cf"[..]));
            value = value.or_else(|| Some(Bytes::copy_from_slice(cell.value)));
            *cells = cells.slice_ref(rest);
        }
        (mutation, value.expect("a value"))
    }

    fn multi(
        &self,
        request: &MultiRequest,
        mut cells: Bytes,
        number: usize,
        step: Option<Step>,
    ) -> MultiResponse {
        let exception = |class: &str| {
            Some(NameBytesPair { class: class.to_owned(), text: format!("{class}: it says\n\tat x").into() })
        };
        let regions = request.regions.iter().map(|region| {
            let name = &region.region.as_ref().expect("a region").name;
            let mutations = region.actions.iter().map(|action| Hbase::mutation(action, &mut cells));
            let mutations: Vec<_> = mutations.collect();
            let gone = match step {
                Some(Step::Region(class)) => Some(class),
                _ if self.with(|state| !Hbase::has(state, name, number)) => {
                    Some("org.apache.hadoop.hbase.NotServingRegionException")
                }
                _ => None,
            };
            if let Some(class) = gone {
                return RegionActionResult { results: vec![], exception: exception(class) };
            }
            let results = region.actions.iter().zip(mutations).map(|(action, (mutation, value))| {
                let refused = match step {
                    Some(Step::Row(value_of, class)) if value == value_of => exception(class),
                    _ => None,
                };
                if refused.is_none() {
                    self.with(|state| {
                        if mutation.kind == Some(INCREMENT) {
                            let nonce = (request.nonce_group.expect("one"), mutation.nonce.expect("one"));
                            if state.nonces.insert(nonce) {
                                state.counter +=
                                    i64::from_be_bytes(value[..].try_into().expect("eight bytes"));
                            }
                        } else {
                            let row = mutation.row.clone().expect("a row");
                            state.rows.insert(row, String::from_utf8_lossy(&value).into_owned());
                        }
                    });
                }
                ResultOrException { index: action.index.expect("one"), exception: refused }
            });
            RegionActionResult { results: results.collect(), exception: None }
        });
        MultiResponse { regions: regions.collect() }
    }

    fn has(state: &State, name: &[u8], number: usize) -> bool {
        let at = (0..state.regions.len()).find(|at| Hbase::name(state, *at).as_bytes() == name);
        !state.disabled && at.is_some_and(|at| state.regions[at].2 == number)
    }
}
