/// Whether Kafka takes `name` as the name of a topic. Source: Kafka's `Topic.validate`.
pub fn is_topic_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=249).contains(&name.len()) && name.chars().all(allowed) && name != "." && name != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_name_is_checked_as_kafka_does() {
        for right in ["stock-quotes", "trades_raw", "a.b", "...", &"x".repeat(249)] {
            assert!(is_topic_name(right), "{right}");
        }
        for wrong in ["", ".", "..", "a/b", "a b", "é", &"x".repeat(250)] {
            assert!(!is_topic_name(wrong), "{wrong}");
        }
    }
}
