//! How each channel is made small.

use flow::compliance::{ChannelBench, Pairs, pairs};

pub(crate) struct Memory;

impl ChannelBench for Memory {
    fn properties(&self, capacity: usize, transaction: usize, keep_alive: u64) -> Pairs {
        pairs([
            ("capacity", capacity as u64),
            ("transactionCapacity", transaction as u64),
            ("keep-alive", keep_alive),
        ])
    }
}
