//! `filePattern` of log4j 2, as a text.

/// A pattern with each `${date:FORMAT}` as a `%d{FORMAT}`, and the same without these, since it is not rolled by them. `None`
/// when another variable is left. What log4j 2 looks up when it rolls (`$${date:...}`), it looks up for the time of the file.
pub(super) fn dated(text: &str) -> Option<(String, String)> {
    let (mut with, mut without) = (String::new(), String::new());
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once("${date:") {
        let (format, behind) = behind.split_once('}')?;
        if format.contains(['%', '$', '{']) {
            return None;
        }
        with.push_str(&format!("{front}%d{{{format}}}"));
        without.push_str(front);
        rest = behind;
    }
    with.push_str(rest);
    without.push_str(rest);
    (!with.contains("${")).then_some((with, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_is_looked_up_is_a_date() {
        let both = |text| dated(text).map(|(with, without)| [with, without]);
        let [with, without] = ["l/%d{yyyy-MM}/a-%d{dd}-%i.log", "l//a-%d{dd}-%i.log"];
        assert_eq!(both("l/${date:yyyy-MM}/a-%d{dd}-%i.log"), Some([with.to_owned(), without.to_owned()]));
        for refused in ["l/${hostName}/a", "${date:yyyy", "${date:${x}}", "${date:%d}"] {
            assert_eq!(both(refused), None, "{refused}");
        }
    }
}
