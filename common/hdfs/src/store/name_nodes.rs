//! Which NameNode of a name service serves now. All are asked at once: one that has frozen answers nobody, and the library
//! would wait for it without end.

use super::StoreError;
use super::hadoop::{ATTEMPTS, Hadoop};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::FuturesUnordered;
use hdfs_native::Client;
use runtime::clock::{self, Duration, Instant};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use tokio::time::{sleep, timeout};

/// The connections by which they are asked. They are kept for a while, as each that is given up on a frozen NameNode stays
/// open until it wakes up.
#[derive(Debug, Clone, Default)]
pub(super) struct Askers(Rc<RefCell<HashMap<String, (Instant, Client)>>>);

impl Askers {
    /// A client that turns to the NameNodes that serve. It takes as long as none does that may still answer.
    pub(super) async fn client(&self, hadoop: &Hadoop) -> Result<Client, StoreError> {
        let url = hadoop.url()?;
        let services = hadoop.site.services(&url);
        // Of several, one that is away holds up those alone who need it.
        let lone = services.len() == 1;
        let patience = if lone { Duration::MAX } else { PATIENCE };
        let orders = services.iter().map(|service| async move {
            let nodes = hadoop.site.name_nodes(service);
            match timeout(patience, self.first_to_serve(hadoop, service, &nodes)).await {
                Ok(Err(error)) if lone => Err(error),
                Ok(Ok(Some(first))) => Ok(order(service, &nodes, first)),
                _ => Ok(Vec::new()),
            }
        });
        let orders: Vec<_> = try_join_all(orders).await?;
        hadoop.client(&url, orders.into_iter().flatten())
    }

    /// The node that answers first; `None` for a lone one.
    async fn first_to_serve<'a>(
        &self,
        hadoop: &Hadoop,
        service: &str,
        nodes: &[&'a str],
    ) -> Result<Option<&'a str>, StoreError> {
        let all: Vec<Option<&str>> = match nodes {
            [] => vec![None],
            nodes => nodes.iter().map(|node| Some(*node)).collect(),
        };
        let ask = |node, pause| self.ask(hadoop, service, node, pause);
        let mut asked: FuturesUnordered<_> = all.iter().map(|node| ask(*node, Duration::ZERO)).collect();
        let mut failures = BTreeMap::new();
        while let Some((node, answer)) = asked.next().await {
            let Err(error) = answer else { return Ok(node) };
            failures.insert(node, error);
            if failures.len() == all.len() {
                return Err(none_serves(service, failures));
            }
            asked.push(ask(node, BETWEEN_LOOKS)); // it may take over meanwhile
        }
        Err(StoreError::Missing)
    }

    async fn ask<'a>(
        &self,
        hadoop: &Hadoop,
        service: &str,
        node: Option<&'a str>,
        pause: Duration,
    ) -> (Option<&'a str>, Result<(), StoreError>) {
        sleep(pause).await;
        let answer = match self.asker(hadoop, service, node) {
            Ok(client) => client.get_file_info("/").await.map(drop).map_err(StoreError::from),
            Err(error) => Err(error),
        };
        (node, answer)
    }

    fn asker(&self, hadoop: &Hadoop, service: &str, node: Option<&str>) -> Result<Client, StoreError> {
        let (key, now) = (format!("{service} {}", node.unwrap_or_default()), clock::now());
        if let Some((made, client)) = self.0.borrow().get(&key)
            && now - *made < KEPT
        {
            return Ok(client.clone());
        }
        let alone = node.map(|node| (namenodes(service), node.to_owned()));
        let at_once = (ATTEMPTS.to_owned(), "0".to_owned());
        let client = hadoop.client(&format!("hdfs://{service}"), alone.into_iter().chain([at_once]))?;
        self.0.borrow_mut().insert(key, (now, client.clone()));
        Ok(client)
    }
}

/// Settings by which `first` is asked before the others of `nodes`.
fn order(service: &str, nodes: &[&str], first: &str) -> Vec<(String, String)> {
    let shuffled = format!("dfs.client.failover.random.order.{service}");
    vec![(namenodes(service), first_of(nodes, first)), (shuffled, "false".to_owned())]
}

fn namenodes(service: &str) -> String {
    format!("dfs.ha.namenodes.{service}")
}

/// `nodes` with `first` before the others.
fn first_of(nodes: &[&str], first: &str) -> String {
    let others = nodes.iter().copied().filter(|node| *node != first);
    [first].into_iter().chain(others).collect::<Vec<_>>().join(",")
}

fn none_serves(service: &str, mut failures: BTreeMap<Option<&str>, StoreError>) -> StoreError {
    if let Some(error) = failures.remove(&None) {
        return error;
    }
    let each = failures.iter().map(|(node, error)| format!("{}: {error}", node.unwrap_or_default()));
    StoreError::Failed(format!("no NameNode of {service} serves: {}", each.collect::<Vec<_>>().join("; ")))
}

/// For one name service of several.
const PATIENCE: Duration = Duration::from_millis(500);
/// Until a NameNode that does not serve is asked again while another one may still answer.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// A connection that hangs is not tried longer: its host may be another one by now.
const KEPT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_serves_comes_first_and_the_others_stay() {
        assert_eq!(first_of(&["nn1", "nn2", "nn3"], "nn2"), "nn2,nn1,nn3");
    }

    #[test]
    fn each_of_those_that_do_not_serve_is_told() {
        let failed = |why: &str| StoreError::Failed(why.to_owned());
        let failures = [(Some("nn2"), failed("standby")), (Some("nn1"), failed("refused"))];
        let told = none_serves("ns1", failures.into()).to_string();
        assert_eq!(told, "no NameNode of ns1 serves: nn1: refused; nn2: standby");
        assert_eq!(none_serves("nn:8020", [(None, failed("refused"))].into()), failed("refused"));
    }
}
