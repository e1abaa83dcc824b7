"""Apache Kafka and PostgreSQL on this machine, each in a folder of its own."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess

import psycopg

from processes import Process, free_port, seconds

HERE = pathlib.Path(__file__).parent

# What is not PostgreSQL's default. Durability is: fsync, synchronous_commit and full_page_writes are on.
POSTGRES = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    # Says when each row was committed, without a question while the clock runs.
    "track_commit_timestamp": "on",
    "autovacuum": "off",
}

KAFKA = """\
process.roles=broker,controller
node.id=0
controller.listener.names=CONTROLLER
controller.quorum.voters=0@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def java(jars, *options):
    log = f"-Dlog4j2.configurationFile={HERE.parent / 'kafka' / 'log4j2.properties'}"
    return ["java", *options, log, "-cp", f"{jars}/*"]


class Kafka:
    """One broker, which is its own controller."""

    def __init__(self, jars, folder):
        folder.mkdir()
        self.port, controller = free_port(), free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        properties = folder / "server.properties"
        properties.write_text(KAFKA.format(port=self.port, controller=controller, folder=folder))
        run = java(jars, "-Xmx512m")
        storage = ["kafka.tools.StorageTool", "format", "--config", properties, "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA"]
        subprocess.run([*run, *storage], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = Process([*run, "kafka.Kafka", properties], folder / "log")
        self.process.wait_for(lambda: "Kafka Server started" in self.process.log.read_text(), 120)

    def stop(self):
        self.process.stop(signal.SIGKILL)


class Postgres:
    """A server with one user, who needs no password, and a database for each run."""

    def __init__(self, folder):
        folder.mkdir()
        self.port = free_port()
        # It refuses to run as root.
        user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        if user:
            os.chown(folder, user, -1)
        programs = programs_folder()
        data = folder / "data"
        init = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(init, check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder)
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in POSTGRES.items()]
        words = [programs / "postgres", "-D", data, "-p", str(self.port), "-k", folder, *settings]
        self.process = Process(words, folder / "log", user)
        self.process.wait_for(lambda: "ready to accept connections" in self.process.log.read_text(), 60)
        with self.connect("postgres") as connection:
            self.version = connection.execute("show server_version").fetchone()[0]

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database):
        return psycopg.connect(self.url(database), autocommit=True)

    def fresh(self, database):
        """An empty database, with everything before it on disk."""
        with self.connect("postgres") as connection:
            connection.execute(f"drop database if exists {database} with (force)")
            connection.execute(f"create database {database}")
            connection.execute("checkpoint")

    def seconds(self):
        """On a processor, of all connections that have ended."""
        return seconds(self.process.child.pid, ended=True)

    def stop(self):
        self.process.stop(signal.SIGINT)


def programs_folder():
    """Where `initdb` and `postgres` are: in PATH, or where Debian has version 15."""
    found = shutil.which("initdb")
    folder = pathlib.Path(found).parent if found else pathlib.Path("/usr/lib/postgresql/15/bin")
    if not (folder / "postgres").exists():
        raise SystemExit("PostgreSQL's programs are missing: apt-get install postgresql")
    return folder
