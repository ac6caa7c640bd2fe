//! Which host gets the next batch, and when to give up.

use runtime::clock::{Duration, Instant};
use runtime::random::Random;

/// Holds no clock and no connection: the caller says what time it is and how each try ended.
#[derive(Clone)]
pub(super) enum Route {
    /// One host until it fails, then the next one.
    Failover(Failover),
    /// Another host for each batch.
    Balance(Balance),
}

impl Route {
    /// The host to try now, or `None` to give up.
    pub(super) fn pick(&self, now: Instant) -> Option<usize> {
        match self {
            Route::Failover(failover) => failover.pick(),
            Route::Balance(balance) => balance.pick(now),
        }
    }

    /// It cannot be connected to.
    pub(super) fn unreachable(&mut self, host: usize, now: Instant) {
        match self {
            Route::Failover(failover) => failover.unreachable(host),
            Route::Balance(balance) => balance.failed(host, now),
        }
    }

    /// It is connected, and took nothing or did not answer.
    pub(super) fn failed(&mut self, host: usize, now: Instant) {
        match self {
            Route::Failover(failover) => failover.failed(host),
            Route::Balance(balance) => balance.failed(host, now),
        }
    }

    /// It has acknowledged a batch.
    pub(super) fn delivered(&mut self, host: usize) {
        match self {
            Route::Failover(failover) => failover.delivered(),
            Route::Balance(balance) => balance.delivered(host),
        }
    }

    /// It was given up, and another batch comes: who failed is tried again.
    pub(super) fn begin_again(&mut self) {
        match self {
            Route::Failover(failover) => failover.delivered(),
            Route::Balance(balance) => balance.hosts.iter_mut().for_each(|health| health.tried = false),
        }
    }

    /// Whether each batch goes its own way.
    pub(super) fn is_balance(&self) -> bool {
        matches!(self, Route::Balance(_))
    }
}

/// Hosts in the order written, round and round, from one that failed to the next. It gives up when a whole round cannot
/// be connected to, or after so many failures of hosts that could, without a success between.
///
/// Source: Flume 1.11 `FailoverRpcClient`; with one host and one attempt, `NettyAvroRpcClient`.
#[derive(Clone)]
pub(super) struct Failover {
    hosts: usize,
    most_attempts: usize,
    next: usize,
    unreachable: usize,
    failed: usize,
}

impl Failover {
    pub(super) fn new(hosts: usize, most_attempts: usize) -> Failover {
        Failover { hosts, most_attempts, next: 0, unreachable: 0, failed: 0 }
    }

    fn pick(&self) -> Option<usize> {
        (self.unreachable < self.hosts && self.failed < self.most_attempts).then_some(self.next)
    }

    fn unreachable(&mut self, host: usize) {
        self.unreachable += 1;
        self.next = (host + 1) % self.hosts;
    }

    fn failed(&mut self, host: usize) {
        self.failed += 1;
        self.unreachable = 0;
        self.next = (host + 1) % self.hosts;
    }

    fn delivered(&mut self) {
        (self.unreachable, self.failed) = (0, 0);
    }
}

/// One host after the other, or any. A batch is tried with each host once, those that rest after a failure last; then
/// it gives up.
///
/// A failed host rests `2^failures` seconds, at most `most_rest`. Source: Flume 1.11 `LoadBalancingRpcClient` with
/// `backoff`. Three differences: Flume gives up while a host that rests might do, a success does not forgive there, and
/// without `backoff` a dead host is tried each time its turn comes; here it rests for a moment all the same.
#[derive(Clone)]
pub(super) struct Balance {
    hosts: Vec<Health>,
    order: Order,
    most_rest: Duration,
}

/// In which order hosts come.
#[derive(Clone)]
pub(super) enum Order {
    /// In turn; the number is whose it is.
    RoundRobin(usize),
    /// Any.
    Random(Random),
}

#[derive(Clone, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
    /// The batch at hand was tried here.
    tried: bool,
}

impl Balance {
    pub(super) fn new(hosts: usize, order: Order, most_rest: Duration) -> Balance {
        Balance { hosts: vec![Health::default(); hosts], order, most_rest }
    }

    fn pick(&self, now: Instant) -> Option<usize> {
        let rested = |host: &Health| host.rests_until.is_none_or(|until| until <= now);
        self.among(rested).or_else(|| self.among(|_| true))
    }

    /// One of those that the batch was not tried with.
    fn among(&self, able: impl Fn(&Health) -> bool) -> Option<usize> {
        let able: Vec<usize> = (0..self.hosts.len())
            .filter(|host| !self.hosts[*host].tried && able(&self.hosts[*host]))
            .collect();
        match &self.order {
            Order::RoundRobin(turn) => able.iter().find(|host| *host >= turn).or(able.first()).copied(),
            Order::Random(random) => able.get(random.peek_below(able.len())).copied(),
        }
    }

    fn failed(&mut self, host: usize, now: Instant) {
        self.moved_past(host);
        let health = &mut self.hosts[host];
        health.failures = health.failures.saturating_add(1);
        let rest = Duration::from_secs(2u64.saturating_pow(health.failures)).min(self.most_rest);
        (health.rests_until, health.tried) = (Some(now + rest), true);
    }

    fn delivered(&mut self, host: usize) {
        self.moved_past(host);
        self.hosts[host] = Health::default();
        self.hosts.iter_mut().for_each(|health| health.tried = false);
    }

    fn moved_past(&mut self, host: usize) {
        match &mut self.order {
            Order::RoundRobin(turn) => *turn = (host + 1) % self.hosts.len(),
            Order::Random(random) => random.advance(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock::now;

    const MOST_REST: Duration = Duration::from_secs(30);

    #[test]
    fn failover_goes_round_once_and_starts_behind_the_last_one_used() {
        let now = now();
        let mut route = Route::Failover(Failover::new(3, 3));
        route.delivered(0);
        route.failed(0, now);
        assert_eq!(route.pick(now), Some(1));
        route.unreachable(1, now);
        assert_eq!(route.pick(now), Some(2));
        route.delivered(2);
        route.failed(2, now);
        assert_eq!(route.pick(now), Some(0));
        for host in [0, 1, 2] {
            assert_eq!(route.pick(now), Some(host));
            route.unreachable(host, now);
        }
        assert_eq!(route.pick(now), None, "no host is up");
    }

    #[test]
    fn failover_gives_up_after_so_many_attempts() {
        let now = now();
        let mut route = Route::Failover(Failover::new(2, 3));
        for host in [0, 1, 0] {
            assert_eq!(route.pick(now), Some(host));
            route.failed(host, now);
        }
        assert_eq!(route.pick(now), None);
        let mut one = Route::Failover(Failover::new(1, 1));
        one.failed(0, now);
        assert_eq!(one.pick(now), None, "Flume's default client is dead after a failure");
    }

    #[test]
    fn who_was_given_up_is_tried_again_for_the_next_batch() {
        let now = now();
        for mut route in [
            Route::Failover(Failover::new(2, 2)),
            Route::Balance(Balance::new(2, Order::RoundRobin(0), MOST_REST)),
        ] {
            while let Some(host) = route.pick(now) {
                route.unreachable(host, now);
            }
            route.begin_again();
            assert_eq!(route.pick(now), Some(0));
        }
    }

    #[test]
    fn batches_go_to_the_hosts_in_turn_and_past_one_that_rests() {
        let start = now();
        let mut route = Route::Balance(Balance::new(3, Order::RoundRobin(0), MOST_REST));
        let mut given = Vec::new();
        for second in 0..8 {
            let now = start + Duration::from_millis(second * 500);
            while let Some(host) = route.pick(now) {
                given.push(host);
                if host == 1 && second < 3 {
                    route.failed(host, now);
                } else {
                    route.delivered(host);
                    break;
                }
            }
        }
        // 1 fails at half a second and rests for two.
        assert_eq!(given, [0, 1, 2, 0, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn each_host_is_tried_once_before_it_gives_up_also_one_that_rests() {
        let now = now();
        let mut route = Route::Balance(Balance::new(2, Order::RoundRobin(0), MOST_REST));
        let mut tried = Vec::new();
        while let Some(host) = route.pick(now) {
            tried.push(host);
            route.unreachable(host, now);
        }
        assert_eq!(tried, [0, 1]);
        route.delivered(1);
        assert_eq!(route.pick(now), Some(1), "0 rests");
        route.failed(1, now);
        assert_eq!(route.pick(now), Some(0), "but who else is there");
    }
}
