//! Flume's Avro protocol as text and hash, and the foreign ones a server has come to know.

use super::shape::{self, Mismatch};
use std::collections::VecDeque;

/// MD5 of a protocol's text. Not of a canonical form: the documentation in it counts.
pub type Hash = [u8; 16];

/// A text of Flume's protocol, with its hash. Embedded, since no library writes the text as Flume's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// Compact JSON.
    pub text: &'static str,
    /// Its MD5.
    pub hash: Hash,
}

impl Protocol {
    /// What every released Flume from 1.4 to 1.11.0 presents, and so do we.
    pub const RELEASED: Protocol = Protocol {
        text: include_str!("released.json"),
        hash: 0x86aa_dae2_c454_74c0_fe93_ffd0_f235_0a65_u128.to_be_bytes(),
    };

    /// What Flume 1.11.1-SNAPSHOT presents: the same protocol with its licence written differently.
    pub const SNAPSHOT: Protocol = Protocol {
        text: include_str!("snapshot.json"),
        hash: 0x8076_c537_14e0_1f6e_2c1d_eb95_44e7_b1fe_u128.to_be_bytes(),
    };
}

/// The protocols that a server has accepted, by hash: one cache for all connections of a source.
///
/// Both of Flume's own are known from the start. Others are remembered once their text was given, the last
/// [`ProtocolCache::FOREIGN`] of them; a client whose protocol was forgotten is asked for the text again.
#[derive(Debug, Clone, Default)]
pub struct ProtocolCache {
    foreign: VecDeque<Hash>,
}

impl ProtocolCache {
    /// So many foreign protocols are remembered.
    pub const FOREIGN: usize = 256;

    /// Whether calls of a client with this protocol are understood.
    pub fn knows(&self, hash: &Hash) -> bool {
        [Protocol::RELEASED.hash, Protocol::SNAPSHOT.hash].contains(hash) || self.foreign.contains(hash)
    }

    /// Accepts a protocol by its text. Like Flume, it does not check that `hash` is the hash of `text`: Avro libraries
    /// write a protocol in different ways before they hash it.
    ///
    /// # Errors
    /// [`Mismatch`] when the text is no protocol or declares Flume's messages differently.
    pub fn accept(&mut self, hash: Hash, text: &[u8]) -> Result<(), Mismatch> {
        shape::check(text)?;
        if !self.knows(&hash) {
            if self.foreign.len() == ProtocolCache::FOREIGN {
                self.foreign.pop_front();
            }
            self.foreign.push_back(hash);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn the_hashes_are_those_of_the_texts() {
        for protocol in [Protocol::RELEASED, Protocol::SNAPSHOT] {
            assert_eq!(Hash::from(Md5::digest(protocol.text)), protocol.hash);
        }
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_flumes_own() {
        let mut cache = ProtocolCache::default();
        let hash = |n: u128| n.to_be_bytes();
        for n in 0..=ProtocolCache::FOREIGN as u128 {
            assert!(!cache.knows(&hash(n)));
            cache.accept(hash(n), Protocol::RELEASED.text.as_bytes()).expect("Flume's own");
        }
        assert!(!cache.knows(&hash(0)) && cache.knows(&hash(1)));
        assert!(cache.knows(&Protocol::RELEASED.hash) && cache.knows(&Protocol::SNAPSHOT.hash));
        assert_eq!(cache.foreign.len(), ProtocolCache::FOREIGN);
    }
}
