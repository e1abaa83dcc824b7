"""What the deployed functions say and do when something of the account is missing, and that nothing is lost by it.

emulator_faults.py MINISTACK BIN_DIR    with the Python that ministack is installed for, in the repository
"""

import base64
import contextlib
import datetime
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3

sys.path.insert(0, "localstack")
from package import package  # noqa: E402

MINISTACK, BIN_DIR = sys.argv[1:]
ACCOUNT = "arn:aws:%s:us-east-1:000000000000:"
EVENT = pathlib.Path("functions/bronze-writer/events/batch.json").read_bytes()
JOB = {"feed": "finnhub", "symbols": "AAPL", "topic": "stock-quotes", "beat_seconds": 1, "budget_seconds": 1}


PROMISES = []


def promise(function):
    PROMISES.append(function)
    return function


@contextlib.contextmanager
def running(command, log, **environment):
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=open(log, "w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # The whole group: ministack starts the functions as its children.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(what, is_there):
    end = time.monotonic() + 90
    while not is_there():
        assert time.monotonic() < end, f"{what}: not within 90 s"
        time.sleep(0.1)


def answers(url):
    try:
        return urllib.request.urlopen(url).status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


class Account:
    """An account on the emulator, which enforces IAM."""

    def __init__(self, folder, endpoint):
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        self.folder = folder
        self.iam, self.s3 = boto3.client("iam"), boto3.client("s3")
        self.secrets, self.functions = boto3.client("secretsmanager"), boto3.client("lambda")
        for binary in subprocess.check_output(["functions/list.py"], text=True).split():
            package(f"{BIN_DIR}/{binary}", f"{folder}/{binary}.zip")

    def role(self, name, *statements):
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        with contextlib.suppress(self.iam.exceptions.EntityAlreadyExistsException):
            self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
        return f"arn:aws:iam::000000000000:role/{name}"

    def deploy(self, name, binary, role, **variables):
        self.functions.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Timeout=20,
            Code={"ZipFile": pathlib.Path(self.folder, f"{binary}.zip").read_bytes()},
            Environment={"Variables": variables},
        )

    def invoke(self, name, payload):
        answer = self.functions.invoke(FunctionName=name, Payload=payload)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource):
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def lake(bucket):
    return [
        allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/bronze/*"),
        allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
    ]


def refused(answer, *words):
    """A failed invocation whose error is one sentence with these words."""
    error, payload = answer
    assert error, f"it should have failed: {payload}"
    message = payload["errorMessage"]
    assert "\n" not in message, message
    for word in words:
        assert word in message, f"no {word!r} in {message!r}"
    print(f"  {payload['errorType']}: {message}")


def landed(answer):
    error, payload = answer
    assert not error and payload["added"] == 3, payload


@promise
def a_missing_bucket_fails_the_batch_and_it_lands_once_there_is_one(account, _):
    role = account.role("writer", *lake("absent"))
    account.deploy("writer", "bronze-writer", role, BRONZE_BUCKET="absent", BRONZE_PREFIX="bronze")
    refused(account.invoke("writer", EVENT), "absent")
    account.s3.create_bucket(Bucket="absent")
    landed(account.invoke("writer", EVENT))


@promise
def a_denied_bucket_fails_the_batch_and_it_lands_once_it_is_allowed(account, _):
    account.s3.create_bucket(Bucket="vault")
    role = account.role("stranger")
    account.deploy("stranger", "bronze-writer", role, BRONZE_BUCKET="vault", BRONZE_PREFIX="bronze")
    refused(account.invoke("stranger", EVENT), "vault", "denied")
    account.role("stranger", *lake("vault"))
    landed(account.invoke("stranger", EVENT))


@promise
def a_writer_needs_no_more_than_its_prefix_of_the_bucket(account, _):
    account.s3.create_bucket(Bucket="lake")
    role = account.role("least", *lake("lake"))
    account.deploy("least", "bronze-writer", role, BRONZE_BUCKET="lake", BRONZE_PREFIX="bronze")
    landed(account.invoke("least", EVENT))
    account.deploy("beyond", "bronze-writer", role, BRONZE_BUCKET="lake", BRONZE_PREFIX="elsewhere")
    refused(account.invoke("beyond", EVENT), "lake")


@promise
def a_roller_that_may_not_write_names_each_symbol_and_makes_its_bars_once_it_may(account, _):
    account.s3.create_bucket(Bucket="bars")
    writer = account.role("landing", *lake("bars"))
    account.deploy("landing", "bronze-writer", writer, BRONZE_BUCKET="bars", BRONZE_PREFIX="bronze")
    landed(account.invoke("landing", event_of_now()))
    reads = [allow("s3:GetObject", "arn:aws:s3:::bars/*"), allow("s3:ListBucket", "arn:aws:s3:::bars")]
    role = account.role("roller", *reads)
    account.deploy("roller", "bar-roller", role, BRONZE_BUCKET="bars", BRONZE_PREFIX="bronze")
    roll = json.dumps({"topic": "stock-quotes", "hours": 24})
    error, report = account.invoke("roller", roll)
    assert not error and "denied" in report["failed"]["AAPL"], report
    print(f"  {json.dumps(report['failed'])}")
    account.role("roller", *reads, allow("s3:PutObject", "arn:aws:s3:::bars/silver/*"))
    error, report = account.invoke("roller", roll)
    assert not error and not report["failed"] and report["bars"] == 1, report


def event_of_now():
    """The batch, with a quote of now."""
    event = json.loads(EVENT)
    record = next(record for records in event["records"].values() for record in records if record["value"])
    quote = json.loads(base64.b64decode(record["value"]))
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    quote["meta"] |= {"event_time": now, "fetched_at": now}
    record["value"] = base64.b64encode(json.dumps(quote).encode()).decode()
    return json.dumps(event)


def reasons_of_failure(account, name):
    """Invokes a poller that can publish nothing; gives the reasons in its report."""
    error, report = account.invoke(name, json.dumps(JOB))
    assert not error and report["published"] == 0 and report["failed"], report
    print(f"  {json.dumps(report['failed'])}")
    return {failed["reason"] for failed in report["failed"]}


def said(name, *words):
    """One line of the function's log has all of these words."""

    def is_said():
        pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        messages = [event["message"] for page in pages for event in page["events"]]
        return any(all(word in message for word in words) for message in messages)

    wait_for(f"{words} in the log of {name}", is_said)


@promise
def a_missing_secret_is_the_reason_of_every_symbol_and_no_longer_once_it_is_there(account, parameters):
    role = account.role("poller", allow("secretsmanager:GetSecretValue", "*"))
    account.deploy("poller", "quote-poller", role, FINNHUB_API_KEY_SECRET="secretsmanager:finnhub", **parameters)
    assert reasons_of_failure(account, "poller") == {"no-key"}
    said("poller", "secretsmanager:finnhub")
    account.secrets.create_secret(Name="finnhub", SecretString="replay")

    def is_polled():
        error, report = account.invoke("poller", json.dumps(JOB))
        return not error and report["published"] >= 1 and not report["failed"]

    # A function asks for it again a minute later.
    wait_for("the key", is_polled)


@promise
def a_secret_of_a_wrong_arn_is_the_reason_too(account, parameters):
    role = account.role("poller", allow("secretsmanager:GetSecretValue", "*"))
    wrong = "secretsmanager:" + ACCOUNT % "secretsmanager" + "secret:nobody-AbCdEf"
    account.deploy("wrong", "quote-poller", role, FINNHUB_API_KEY_SECRET=wrong, **parameters)
    assert reasons_of_failure(account, "wrong") == {"no-key"}
    said("wrong", wrong)


@promise
def brokers_that_do_not_answer_fail_every_quote(account, parameters):
    role = account.role("poller")
    nowhere = parameters | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "FINNHUB_API_KEY": "replay"}
    account.deploy("nowhere", "quote-poller", role, **nowhere)
    assert reasons_of_failure(account, "nowhere") == {"publish-timed-out"}
    said("nowhere", "127.0.0.1:1")


def without_brokers(parameters):
    return {name: value for name, value in parameters.items() if not name.startswith("KAFKA_")}


@promise
def a_cluster_of_a_wrong_arn_fails_every_quote(account, parameters):
    role = account.role("looker", allow("kafka:GetBootstrapBrokers", "*"))
    variables = without_brokers(parameters)
    wrong = ACCOUNT % "kafka" + "cluster/nobody/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2"
    account.deploy("lost", "quote-poller", role, MSK_CLUSTER_ARN=wrong, FINNHUB_API_KEY="replay", **variables)
    assert reasons_of_failure(account, "lost") == {"no-producer"}
    said("lost", wrong)


@promise
def a_cluster_that_may_not_be_looked_up_fails_every_quote_until_it_may(account, parameters):
    cluster = boto3.client("kafka").create_cluster(
        ClusterName="closed",
        KafkaVersion="4.1.x.kraft",
        NumberOfBrokerNodes=1,
        BrokerNodeGroupInfo={"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
    )
    role = account.role("blind")
    variables = without_brokers(parameters)
    account.deploy(
        "blind", "quote-poller", role, MSK_CLUSTER_ARN=cluster["ClusterArn"], FINNHUB_API_KEY="replay", **variables
    )
    assert reasons_of_failure(account, "blind") == {"no-producer"}
    said("blind", cluster["ClusterArn"], "may not be asked for")
    account.role("blind", allow("kafka:GetBootstrapBrokers", "*"))

    def are_asked():
        _, report = account.invoke("blind", json.dumps(JOB))
        return report["failed"][0]["reason"] == "publish-timed-out"

    # The brokers that the emulator tells are nobody's.
    wait_for("the brokers", are_asked)


@promise
def credentials_that_are_missing_fail_every_quote(account, parameters):
    role = account.role("nameless", allow("secretsmanager:GetSecretValue", "*"))
    scram = {"KAFKA_SECURITY": "scram", "KAFKA_CREDENTIALS_SECRET": "secretsmanager:AmazonMSK_absent"}
    account.deploy("nameless", "quote-poller", role, FINNHUB_API_KEY="replay", **(parameters | scram))
    assert reasons_of_failure(account, "nameless") == {"no-producer"}
    said("nameless", "AmazonMSK_absent")


def main():
    # An end from outside ends what runs here too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1"
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as parts:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        endpoint = f"http://127.0.0.1:{port}"
        settings = dict(BIND_HOST="127.0.0.1", GATEWAY_PORT=port, LAMBDA_EXECUTOR="local", AUTH="true", TMPDIR=folder)
        settings |= dict(S3_DATA_DIR=f"{folder}/s3", STATE_DIR=f"{folder}/state", AWS_ENDPOINT_URL=endpoint)
        parts.enter_context(running([MINISTACK], f"{folder}/ministack", **settings))
        for part in ("broker", "market"):
            parts.enter_context(running([f"{BIN_DIR}/quotelake", "serve", part], f"{folder}/{part}"))
        read = lambda part: pathlib.Path(folder, part).read_text()
        wait_for("the broker and the market", lambda: "KafkaB" in read("broker") and "VciUrl" in read("market"))
        wait_for("ministack", lambda: answers(f"{endpoint}/_ministack/health"))
        printed = dict(line.split("=", 1) for line in (read("broker") + read("market")).splitlines())
        parameters = {
            "KAFKA_BOOTSTRAP_SERVERS": printed["KafkaBootstrapServers"],
            "FINNHUB_URL": printed["FinnhubUrl"],
        }
        account = Account(folder, endpoint)
        for holds in PROMISES:
            print(holds.__name__.replace("_", " "), flush=True)
            try:
                holds(account, parameters)
            except BaseException:
                print(read("ministack")[-4000:], file=sys.stderr)
                raise
    print(f"{len(PROMISES)} passed, 0 failed")


main()
