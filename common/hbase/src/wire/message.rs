//! The messages of HBase's protocol, with the fields that a sink uses. Others are passed over.
//!
//! Source: `RPC.proto`, `HBase.proto`, `Client.proto` and `ZooKeeper.proto` of HBase 2.6.

use bytes::Bytes;
use prost::Message;

/// A message: its fields, with their numbers.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $key:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Message)]
            pub(crate) struct $name { $($(#[$field])* pub(crate) $key: $type,)* }
        )*
    };
}

messages! {
    /// Who calls.
    UserInformation {
        #[prost(string, tag = "1")]
        effective_user: String,
    }
    /// The first message of a connection.
    ConnectionHeader {
        #[prost(message, optional, tag = "1")]
        user: Option<UserInformation>,
        #[prost(string, tag = "2")]
        service: String,
        /// How cells behind messages are written; without it there are none.
        #[prost(string, optional, tag = "3")]
        codec: Option<String>,
    }
    /// About the cells behind a message.
    CellBlock {
        #[prost(uint32, optional, tag = "1")]
        length: Option<u32>,
    }
    RequestHeader {
        #[prost(uint32, optional, tag = "1")]
        call_id: Option<u32>,
        #[prost(string, tag = "3")]
        method: String,
        #[prost(bool, tag = "4")]
        has_request: bool,
        #[prost(message, optional, tag = "5")]
        cells: Option<CellBlock>,
        /// Milliseconds; the server may drop what has waited longer.
        #[prost(uint32, optional, tag = "7")]
        timeout: Option<u32>,
    }
    /// Why a call has failed as a whole.
    ExceptionResponse {
        #[prost(string, tag = "1")]
        class: String,
        /// What it says, and Java's stack.
        #[prost(string, tag = "2")]
        trace: String,
        #[prost(bool, tag = "5")]
        do_not_retry: bool,
    }
    ResponseHeader {
        #[prost(uint32, optional, tag = "1")]
        call_id: Option<u32>,
        #[prost(message, optional, tag = "2")]
        exception: Option<ExceptionResponse>,
    }

    ServerName {
        #[prost(string, tag = "1")]
        host: String,
        #[prost(uint32, optional, tag = "2")]
        port: Option<u32>,
    }
    /// What ZooKeeper's `meta-region-server` holds.
    MetaRegionServer {
        #[prost(message, optional, tag = "1")]
        server: Option<ServerName>,
        /// 3: open.
        #[prost(int32, optional, tag = "3")]
        state: Option<i32>,
    }
    /// What `info:regioninfo` holds.
    RegionInfo {
        #[prost(bytes = "bytes", tag = "3")]
        start: Bytes,
        #[prost(bytes = "bytes", tag = "4")]
        end: Bytes,
        #[prost(bool, tag = "5")]
        offline: bool,
        #[prost(bool, tag = "6")]
        split: bool,
    }
    /// What `table:state` holds.
    TableState {
        #[prost(int32, tag = "1")]
        state: i32,
    }

    RegionSpecifier {
        /// 1: by its name.
        #[prost(int32, required, tag = "1")]
        kind: i32,
        #[prost(bytes = "bytes", required, tag = "2")]
        name: Bytes,
    }
    Cell {
        #[prost(bytes = "bytes", tag = "1")]
        row: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        family: Bytes,
        #[prost(bytes = "bytes", tag = "3")]
        qualifier: Bytes,
        #[prost(bytes = "bytes", tag = "6")]
        value: Bytes,
    }
    RowResult {
        #[prost(message, repeated, tag = "1")]
        cells: Vec<Cell>,
    }

    Column {
        #[prost(bytes = "bytes", required, tag = "1")]
        family: Bytes,
        #[prost(bytes = "bytes", repeated, tag = "2")]
        qualifiers: Vec<Bytes>,
    }
    Scan {
        #[prost(message, repeated, tag = "1")]
        columns: Vec<Column>,
        #[prost(bytes = "bytes", tag = "3")]
        start: Bytes,
        #[prost(bytes = "bytes", tag = "4")]
        stop: Bytes,
        #[prost(bool, tag = "15")]
        reversed: bool,
    }
    ScanRequest {
        #[prost(message, optional, tag = "1")]
        region: Option<RegionSpecifier>,
        #[prost(message, optional, tag = "2")]
        scan: Option<Scan>,
        #[prost(uint32, tag = "4")]
        rows: u32,
        #[prost(bool, tag = "5")]
        close: bool,
    }
    ScanResponse {
        #[prost(message, repeated, tag = "5")]
        rows: Vec<RowResult>,
    }
    Get {
        #[prost(bytes = "bytes", required, tag = "1")]
        row: Bytes,
        #[prost(message, repeated, tag = "2")]
        columns: Vec<Column>,
    }
    GetRequest {
        #[prost(message, optional, tag = "1")]
        region: Option<RegionSpecifier>,
        #[prost(message, optional, tag = "2")]
        get: Option<Get>,
    }
    GetResponse {
        #[prost(message, optional, tag = "1")]
        row: Option<RowResult>,
    }

    QualifierValue {
        #[prost(bytes = "bytes", optional, tag = "1")]
        qualifier: Option<Bytes>,
        #[prost(bytes = "bytes", optional, tag = "2")]
        value: Option<Bytes>,
    }
    ColumnValue {
        #[prost(bytes = "bytes", required, tag = "1")]
        family: Bytes,
        #[prost(message, repeated, tag = "2")]
        values: Vec<QualifierValue>,
    }
    Mutation {
        #[prost(bytes = "bytes", optional, tag = "1")]
        row: Option<Bytes>,
        /// [`INCREMENT`] or [`PUT`].
        #[prost(int32, optional, tag = "2")]
        kind: Option<i32>,
        #[prost(message, repeated, tag = "3")]
        columns: Vec<ColumnValue>,
        /// [`SKIP_WAL`], or as the table says.
        #[prost(int32, optional, tag = "6")]
        durability: Option<i32>,
        /// How many of the cells behind the message are its own, in place of `columns`.
        #[prost(int32, optional, tag = "8")]
        cells: Option<i32>,
        /// The same one is done once.
        #[prost(uint64, optional, tag = "9")]
        nonce: Option<u64>,
    }
    Action {
        #[prost(uint32, optional, tag = "1")]
        index: Option<u32>,
        /// A [`Mutation`], which is written already.
        #[prost(bytes = "bytes", tag = "2")]
        mutation: Bytes,
    }
    RegionAction {
        #[prost(message, optional, tag = "1")]
        region: Option<RegionSpecifier>,
        #[prost(message, repeated, tag = "3")]
        actions: Vec<Action>,
    }
    MultiRequest {
        #[prost(message, repeated, tag = "1")]
        regions: Vec<RegionAction>,
        #[prost(uint64, optional, tag = "2")]
        nonce_group: Option<u64>,
    }
    /// An exception: its class, and what it says with Java's stack.
    NameBytesPair {
        #[prost(string, tag = "1")]
        class: String,
        #[prost(bytes = "bytes", tag = "2")]
        text: Bytes,
    }
    ResultOrException {
        #[prost(uint32, tag = "1")]
        index: u32,
        #[prost(message, optional, tag = "3")]
        exception: Option<NameBytesPair>,
    }
    RegionActionResult {
        #[prost(message, repeated, tag = "1")]
        results: Vec<ResultOrException>,
        /// Why the whole region has done nothing.
        #[prost(message, optional, tag = "2")]
        exception: Option<NameBytesPair>,
    }
    MultiResponse {
        #[prost(message, repeated, tag = "1")]
        regions: Vec<RegionActionResult>,
    }
}

/// A region by its name.
pub(crate) fn region(name: Bytes) -> Option<RegionSpecifier> {
    Some(RegionSpecifier { kind: 1, name })
}

/// Of a [`Mutation`].
pub(crate) const INCREMENT: i32 = 1;
/// Of a [`Mutation`].
pub(crate) const PUT: i32 = 2;
/// Of a [`Mutation`]: what is written is lost when the server dies before its memory is flushed.
pub(crate) const SKIP_WAL: i32 = 1;
