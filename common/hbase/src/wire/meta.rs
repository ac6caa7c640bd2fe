//! Where regions are: ZooKeeper's node `meta-region-server`, and the rows of the table `hbase:meta`.

use super::frame::Malformed;
use super::message::{
    Column, Get, GetRequest, MetaRegionServer, RegionInfo, RowResult, Scan, ScanRequest, TableState, region,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

/// A row of `hbase:meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The region's name.
    pub(crate) name: Bytes,
    pub(crate) start: Bytes,
    /// Empty: it is the last one.
    pub(crate) end: Bytes,
    /// `HOST:PORT`; `None` while nobody has it.
    pub(crate) server: Option<String>,
}

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Enabled,
    /// Or about to be.
    Disabled,
}

/// The server of `hbase:meta`, `HOST:PORT`, of what ZooKeeper's node holds: `ff`, the length of an id, the id, `PBUF`, a message.
///
/// # Errors
/// [`Malformed`]
pub(crate) fn meta_server(node: &[u8]) -> Result<Option<String>, Malformed> {
    let bad = || Malformed::Message("ZooKeeper's node is none of HBase's".to_owned());
    let rest = node.strip_prefix(&[0xff]).ok_or_else(bad)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(bad)?;
    let message = rest.get(u32::from_be_bytes(*length) as usize..).ok_or_else(bad)?;
    let message = magic(message).ok_or_else(bad)?;
    let found = MetaRegionServer::decode(message).map_err(|_| bad())?;
    let open = found.state.is_none_or(|state| state == OPEN);
    let server = found.server.filter(|server| open && !server.host.is_empty());
    Ok(server.map(|server| address(&server.host, server.port.unwrap_or(REGION_SERVER))))
}

/// Of a region.
const OPEN: i32 = 3;
const REGION_SERVER: u32 = 16020;

fn address(host: &str, port: u32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What stands behind HBase's mark of a message.
fn magic(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"PBUF")
}

/// Asks which region of `table` has `row`: the last one that begins there or before.
pub(crate) fn located(table: &str, row: &[u8]) -> ScanRequest {
    let mut start = BytesMut::from(table.as_bytes());
    start.put_u8(b',');
    start.put_slice(row);
    start.put_slice(b",99999999999999"); // behind every time at which a region was made
    let info = |name: &'static str| Bytes::from_static(name.as_bytes());
    ScanRequest {
        region: region(info(META)),
        scan: Some(Scan {
            columns: vec![Column {
                family: info("info"),
                qualifiers: vec![info("regioninfo"), info("server")],
            }],
            start: start.freeze(),
            stop: format!("{table},,").into(),
            reversed: true,
        }),
        rows: 1,
        close: true,
    }
}

/// Asks what `table` is.
pub(crate) fn state(table: &str) -> GetRequest {
    let column = Column { family: "table".into(), qualifiers: vec!["state".into()] };
    let get = Get { row: Bytes::copy_from_slice(table.as_bytes()), columns: vec![column] };
    GetRequest { region: region(Bytes::from_static(META.as_bytes())), get: Some(get) }
}

const META: &str = "hbase:meta,,1";

/// The region in the answer to [`located`]. `None`: the table has none that is in use.
///
/// # Errors
/// [`Malformed`]
pub(crate) fn row_of(found: &RowResult) -> Result<Option<Row>, Malformed> {
    let bad = || Malformed::Message("a row of hbase:meta has no region".to_owned());
    let cell = |name: &[u8]| found.cells.iter().find(|cell| cell.qualifier == name);
    let Some(cell_of_info) = cell(b"regioninfo") else { return Ok(None) };
    let mut value = cell_of_info.value.clone();
    if magic(&value).is_none() {
        return Err(bad());
    }
    value.advance(4);
    let info = RegionInfo::decode(value).map_err(|_| bad())?;
    if info.offline || info.split {
        return Ok(None); // its daughters are not written yet
    }
    let server = cell(b"server").filter(|cell| !cell.value.is_empty());
    let server = server.map(|cell| String::from_utf8_lossy(&cell.value).into_owned());
    Ok(Some(Row { name: cell_of_info.row.clone(), start: info.start, end: info.end, server }))
}

/// What the answer to [`state`] says.
pub(crate) fn state_of(row: Option<&RowResult>) -> Option<State> {
    let cell = row?.cells.first()?;
    let state = TableState::decode(magic(&cell.value).unwrap_or(&cell.value)).ok()?;
    Some(if state.state == 1 || state.state == 2 { State::Disabled } else { State::Enabled })
}

/// Host and port of `HOST:PORT`.
pub(crate) fn server_of(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::message::{Cell, ServerName};
    use super::*;

    fn node(state: i32) -> Vec<u8> {
        let server = ServerName { host: "localhost".to_owned(), port: Some(16020) };
        let message = MetaRegionServer { server: Some(server), state: Some(state) };
        [&b"\xff\0\0\0\x05idididPBUF"[..3], &[0, 5], b"ididi", b"PBUF", &message.encode_to_vec()].concat()
    }

    #[test]
    fn metas_server_is_read_of_zookeepers_node() {
        // As HBase 2.6.1 has written it, but for its start code.
        let seen = b"\xff\0\0\0\x14master:16000\xcf\xbf\x6c\x4d\x9e\xf0\x38\x2dPBUF\x0a\x0e\x0a\x09localhost\x10\x94\x7d\x10\0\x18\x03";
        assert_eq!(meta_server(seen), Ok(Some("localhost:16020".to_owned())));
        assert_eq!(meta_server(&node(3)), Ok(Some("localhost:16020".to_owned())));
        assert_eq!(meta_server(&node(2)), Ok(None), "it is being opened");
        for end in 0..seen.len() - 4 {
            let read = meta_server(&seen[..end]);
            assert!(read.is_err() || read == Ok(None), "{end}: {read:?}");
        }
    }

    fn row(name: &str, offline: bool, server: &str) -> RowResult {
        let info = RegionInfo { start: "b".into(), end: "m".into(), offline, split: offline };
        let cell = |qualifier: &'static str, value: Vec<u8>| Cell {
            row: Bytes::copy_from_slice(name.as_bytes()),
            family: "info".into(),
            qualifier: qualifier.into(),
            value: value.into(),
        };
        RowResult {
            cells: vec![
                cell("regioninfo", [&b"PBUF"[..], &info.encode_to_vec()].concat()),
                cell("server", server.as_bytes().to_vec()),
            ],
        }
    }

    #[test]
    fn a_region_is_read_of_its_row() {
        let found = row_of(&row("t,b,17.x.", false, "h:1")).unwrap().unwrap();
        assert_eq!(
            (found.name.as_ref(), found.start.as_ref(), found.end.as_ref()),
            (&b"t,b,17.x."[..], &b"b"[..], &b"m"[..])
        );
        assert_eq!(found.server.as_deref(), Some("h:1"));
        assert_eq!(row_of(&row("t,b,17.x.", true, "h:1")), Ok(None), "it is split");
        let unassigned = row_of(&row("t,b,17.x.", false, "")).unwrap().unwrap();
        assert_eq!(unassigned.server, None);
        assert_eq!(row_of(&RowResult::default()), Ok(None));
        let mut bad = row("t,b,17.x.", false, "h:1");
        bad.cells[0].value = "PBUX".into();
        assert!(row_of(&bad).is_err());
    }

    #[test]
    fn a_disabled_table_is_known() {
        let with = |state: i32| RowResult {
            cells: vec![Cell { value: TableState { state }.encode_to_vec().into(), ..Cell::default() }],
        };
        for (number, expected) in
            [(0, State::Enabled), (1, State::Disabled), (2, State::Disabled), (3, State::Enabled)]
        {
            assert_eq!(state_of(Some(&with(number))), Some(expected));
        }
        assert_eq!(state_of(None), None);
    }

    #[test]
    fn servers_are_hosts_with_ports() {
        assert_eq!(server_of("h:1"), Some(("h", 1)));
        assert_eq!(server_of("[::1]:2"), Some(("::1", 2)));
        assert_eq!(server_of("h"), None);
    }
}
