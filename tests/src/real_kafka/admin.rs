//! What an administrator does, with Kafka's own tools.

use std::io::Write;

use stream::topics::Watermarks;
use tempfile::NamedTempFile;

use super::{Kafka, Listener, certificates::CLIENT_NAME, node::output, properties::USER};

impl Kafka {
    /// Makes a topic, with settings such as `retention.ms=1000`.
    pub fn create_topic(&self, topic: &str, partitions: i32, settings: &[&str]) {
        let partitions = partitions.to_string();
        let mut arguments = vec!["--create", "--topic", topic, "--partitions", &partitions];
        arguments.extend(settings.iter().flat_map(|setting| ["--config", setting]));
        self.tool("org.apache.kafka.tools.TopicCommand", &arguments);
    }

    /// Deletes a topic, and waits until it is gone.
    pub fn delete_topic(&self, topic: &str) {
        self.tool(
            "org.apache.kafka.tools.TopicCommand",
            &["--delete", "--topic", topic],
        );
    }

    /// Gives a topic more partitions.
    pub fn set_partitions(&self, topic: &str, partitions: i32) {
        let partitions = partitions.to_string();
        let arguments = ["--alter", "--topic", topic, "--partitions", &partitions];
        self.tool("org.apache.kafka.tools.TopicCommand", &arguments);
    }

    /// Changes a setting of a topic, such as `retention.ms=1000`.
    pub fn configure(&self, topic: &str, setting: &str) {
        let arguments = ["--alter", "--topic", topic, "--add-config", setting];
        self.tool("kafka.admin.ConfigCommand", &arguments);
    }

    /// Has a topic's first partition drop what is before `offset`.
    pub fn delete_before(&self, topic: &str, offset: i64) {
        let up_to = serde_json::json!({
            "partitions": [{"topic": topic, "partition": 0, "offset": offset}],
            "version": 1,
        });
        let mut file = NamedTempFile::new().unwrap();
        write!(file, "{up_to}").unwrap();
        let path = file.path().display().to_string();
        let arguments = ["--offset-json-file", &path];
        self.tool("org.apache.kafka.tools.DeleteRecordsCommand", &arguments);
    }

    /// Brings the leaders back to the brokers where they were before one was killed; some have to move.
    pub fn move_leaders_back(&self) {
        let arguments = ["--election-type", "preferred", "--all-topic-partitions"];
        let said = self.tool("org.apache.kafka.tools.LeaderElectionCommand", &arguments);
        assert!(
            said.contains("Successfully completed leader election"),
            "{said}"
        );
    }

    /// The first offset that a partition still holds.
    pub fn oldest(&self, topic: &str, partition: i32) -> i64 {
        let watermarks = Watermarks::new(&self.cluster(), "oldest").unwrap();
        watermarks.held(topic, partition).unwrap().start
    }

    /// Denies the user everything with a topic, which need not exist.
    pub(super) fn deny(&self, topic: &str) {
        let password = format!("User:{USER}");
        let certificate = format!("User:{CLIENT_NAME}");
        let arguments = [
            "--add",
            "--topic",
            topic,
            "--operation",
            "All",
            "--deny-principal",
            &password,
            "--deny-principal",
            &certificate,
        ];
        self.tool("org.apache.kafka.tools.AclCommand", &arguments);
    }

    /// Denies the user the creation of topics, and nothing else that has to do with topics.
    pub fn deny_creating(&self) {
        let user = format!("User:{USER}");
        let every = ["--add", "--topic", "*", "--operation"];
        for rest in [
            &["All", "--allow-principal", &user][..],
            &["Create", "--cluster", "--deny-principal", &user],
        ] {
            let arguments = [&every[..], rest].concat();
            self.tool("org.apache.kafka.tools.AclCommand", &arguments);
        }
    }

    fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let brokers = self.brokers(Listener::Plaintext);
        let arguments = [&["--bootstrap-server", &brokers], arguments].concat();
        output(self.java.spawn(class, &arguments))
    }
}
