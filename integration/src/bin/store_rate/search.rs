//! OpenSearch: a document for each line, in an index for each run.

use crate::run::{MEMORY, Run, Store};
use integration::{duel::check::Check, http, node::Error, stores::SearchNode};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

pub(crate) struct Search {
    store: SearchNode,
    /// What was said when it was asked last.
    said: Option<(Instant, u64)>,
}

impl Search {
    pub(crate) fn start() -> Result<Box<dyn Store>, Error> {
        Ok(Box::new(Search { store: SearchNode::opensearch(), said: None }))
    }
}

impl Store for Search {
    /// None: its client speaks with no server of today.
    fn flumes_part(&self) -> &'static str {
        "none"
    }

    fn prepare(&mut self, _: &Run) -> Result<(), Error> {
        self.said = None;
        Ok(())
    }

    fn agent(&self, run: &Run) -> String {
        let sink = SINK.replace("PORT", &self.store.port().to_string()).replace("INDEX", &run.name);
        run.taildir() + MEMORY + &sink
    }

    fn client(&self, run: &Run) -> Result<Command, Error> {
        let (port, batch) = (self.store.port().to_string(), run.batch.to_string());
        crate::own(&[CLIENT, &port, &run.name, &run.input.display().to_string(), &batch])
    }

    /// Documents that it has indexed, which it counts before they are found.
    fn come(&mut self, run: &Run) -> Result<u64, Error> {
        if let Some((_, come)) = self.said.filter(|(at, _)| at.elapsed() < LOOK) {
            return Ok(come);
        }
        let asked = http::get(self.store.port(), &format!("/{}*/_stats/indexing", run.name));
        let (_, page) = asked.map_err(Error::io("cannot ask OpenSearch"))?;
        let page: serde_json::Value = serde_json::from_str(&page).unwrap_or_default();
        let come = page["_all"]["primaries"]["indexing"]["index_total"].as_u64().unwrap_or_default();
        self.said = Some((Instant::now(), come));
        Ok(come)
    }

    /// Documents are counted.
    fn check(&mut self, run: &Run) -> Result<Check, Error> {
        let count = self.store.count(&format!("{}*", run.name));
        let count = count.ok_or_else(|| Error::Missing("no number of documents".to_owned()))?;
        let (count, lines) = (u32::try_from(count).unwrap_or(u32::MAX), run.shape.lines);
        Ok(Check {
            missing: lines.saturating_sub(count),
            doubled: count.saturating_sub(lines),
            ..Check::default()
        })
    }
}

/// `CLIENT PORT INDEX INPUT BATCH`: one `_bulk` after another on one connection, and nothing else.
pub(crate) const CLIENT: &str = "search-client";

pub(crate) fn client(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [port, index, input, batch] = words else { return Err("PORT INDEX INPUT BATCH".into()) };
    let mut lines = BufReader::new(File::open(input)?).lines();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse()?))?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let action = format!("{{\"create\":{{\"_index\":\"{index}\"}}}}\n");
    loop {
        let mut body = String::new();
        for line in lines.by_ref().take(batch.parse()?) {
            let document = serde_json::json!({ "@message": line? });
            body += &format!("{action}{document}\n");
        }
        if body.is_empty() {
            return Ok(());
        }
        let head = format!(
            "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let answer = answer(&mut answers)?;
        if !answer.contains("\"errors\":false") {
            return Err(answer.into());
        }
    }
}

fn answer(from: &mut impl BufRead) -> io::Result<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

const SINK: &str = "a1.sinks.k1.type = elasticsearch
a1.sinks.k1.hostNames = 127.0.0.1:PORT
a1.sinks.k1.clusterName = lab
a1.sinks.k1.indexName = INDEX
a1.sinks.k1.batchSize = BATCH
";

const LOOK: Duration = Duration::from_millis(50);
