//! `UUIDInterceptor`: gives each event a name of its own.

use super::draft::{Draft, Fixed, Text};
use flow::interceptor::Oversized;
use plan::Properties;
use runtime::random::Unique;

/// Its type, which has no alias.
pub(super) const UUID: &str = "org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder";

/// Sets one header to a random UUID, another one for each event.
#[derive(Debug)]
pub(crate) struct SetUuid {
    key: Text,
    preserve: bool, // leave a header that is there as it is
    value: Vec<u8>, // `prefix`, and the last UUID
    unique: Unique,
}

impl SetUuid {
    /// `headerName` (id), `preserveExisting` (true), `prefix` (nothing).
    pub(crate) fn build(properties: &Properties, fixed: &mut Fixed) -> SetUuid {
        let mut value = properties.word("prefix").as_bytes().to_vec();
        value.extend_from_slice(&[0; LENGTH]);
        SetUuid {
            key: fixed.add(properties.word("headerName")),
            preserve: properties.flag("preserveExisting"),
            value,
            unique: Unique::from_system(),
        }
    }

    /// Sets the header.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn apply(&mut self, draft: &mut Draft<'_>) -> Result<(), Oversized> {
        if self.preserve && draft.has(self.key) {
            return Ok(());
        }
        let at = self.value.len() - LENGTH;
        write(self.unique.draw(), &mut self.value[at..]);
        let value = draft.write(&self.value)?;
        draft.put(self.key, value);
        Ok(())
    }
}

/// Writes `number` as a UUID of version 4, the one of random numbers (RFC 9562).
fn write(number: u128, out: &mut [u8]) {
    let number = number & !(0xf << 76 | 0x3 << 62) | 4 << 76 | 0b10 << 62;
    let mut shift = 128;
    for (at, digit) in out.iter_mut().enumerate() {
        *digit = if matches!(at, 8 | 13 | 18 | 23) {
            b'-'
        } else {
            shift -= 4;
            b"0123456789abcdef"[(number >> shift) as usize & 0xf]
        };
    }
}

/// Digits and hyphens.
const LENGTH: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_with_its_version() {
        let text = |number| {
            let mut out = [0; LENGTH];
            write(number, &mut out);
            String::from_utf8(out.to_vec()).unwrap()
        };
        assert_eq!(text(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(text(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(text(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef), "01234567-89ab-4def-8123-456789abcdef");
    }
}
