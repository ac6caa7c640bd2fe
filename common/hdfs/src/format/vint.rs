//! Hadoop's numbers of variable length (`WritableUtils.writeVLong`).

/// Appends `value`.
pub(super) fn push(value: i64, out: &mut Vec<u8>) {
    if (-112..=127).contains(&value) {
        out.push(value as u8);
        return;
    }
    let (mark, rest) = if value < 0 { (-120, !value) } else { (-112, value) };
    let bytes = (64 - rest.leading_zeros()).div_ceil(8) as usize;
    out.push((mark - bytes as i64) as u8);
    out.extend_from_slice(&rest.to_be_bytes()[8 - bytes..]);
}

#[cfg(test)]
mod tests {
    use super::push;

    /// What `WritableUtils.writeVLong` of Hadoop 3.3.6 writes.
    #[test]
    fn numbers_are_those_of_hadoop() {
        for (value, expected) in [
            (0, &[0][..]),
            (127, &[127]),
            (-112, &[0x90]),
            (128, &[0x8f, 0x80]),
            (255, &[0x8f, 0xff]),
            (256, &[0x8e, 1, 0]),
            (-113, &[0x87, 0x70]),
            (70_000, &[0x8d, 1, 0x11, 0x70]),
            (i64::MAX, &[0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ] {
            let mut out = Vec::new();
            push(value, &mut out);
            assert_eq!(out, expected, "{value}");
        }
    }
}
