//! What somebody probably meant who mistyped a name. Never decides for them.

/// The one of `known` that `text` is most like; none if it is like none of them.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let score = |name: &str| {
        let name = name.to_ascii_lowercase();
        // A name behind a prefix that was left out is as good as the name.
        let bare = name.rsplit("___").next().unwrap_or(&name).to_owned();
        strsim::jaro_winkler(&lower, &name).max(strsim::jaro_winkler(&lower, &bare))
    };
    let best = known.into_iter().map(|name| (score(name), name)).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score > 0.8).map(|(_, name)| name)
}

/// `; did you mean X?`, or nothing.
pub fn hint<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let known = ["calculator___add_numbers", "hello___greet_user", "us-east-1"];
        assert_eq!(nearest("calculator___add_number", known), Some(known[0]));
        assert_eq!(nearest("add_numbers", known), Some(known[0]));
        assert_eq!(nearest("Greet_User", known), Some(known[1]));
        assert_eq!(nearest("us-esat-1", known), Some(known[2]));
        assert_eq!(nearest("weather", known), None);
        assert_eq!(hint("weather", known), "");
    }
}
