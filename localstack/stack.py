"""What localstack/emulate.sh asks of the emulated AWS. AWS_ENDPOINT_URL says where that is.

stack.py create-cluster NAME     makes an MSK cluster in the default VPC; prints the parameters by which a stack is on it
stack.py output STACK KEY        an output of the stack
stack.py fire-rare STACK         invokes the functions whose schedules are rarer than a minute; prints how many
stack.py topics STACK            prints the topics that the stack's schedules have pollers publish to
stack.py stop-schedules STACK    deletes the stack's schedules, so that they start nothing more; prints their functions
stack.py ended FUNCTION...        prints how many invocations of these have ended, by the reports in their log
stack.py counts                  prints what the functions have counted, by the metrics in their logs
"""

import json
import sys

import boto3

LOGS = boto3.client("logs")


def create_cluster(name):
    ec2 = boto3.client("ec2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]]
    cluster = boto3.client("kafka").create_cluster(
        ClusterName=name,
        KafkaVersion="4.1.x.kraft",
        NumberOfBrokerNodes=len(subnets),
        BrokerNodeGroupInfo={"ClientSubnets": subnets, "SecurityGroups": groups, "InstanceType": "kafka.m7g.large"},
    )
    print(f"Kafka=msk\nKafkaSecurity=plaintext\nKafkaBootstrapServers=\nMskClusterArn={cluster['ClusterArn']}")
    print(f"SubnetIds={','.join(subnets)}\nSecurityGroupIds={','.join(groups)}")


def output(stack, key):
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    print(next(output["OutputValue"] for output in outputs if output["OutputKey"] == key))


def schedules(stack):
    """The schedules of the stack, whose functions' names begin with its name."""
    scheduler = boto3.client("scheduler")
    for page in scheduler.get_paginator("list_schedules").paginate():
        for listed in page["Schedules"]:
            schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
            if f":function:{stack}-" in schedule["Target"]["Arn"]:
                yield schedule


def fire_rare(stack):
    fired = 0
    for schedule in schedules(stack):
        if schedule["ScheduleExpression"] != "rate(1 minute)":
            target = schedule["Target"]
            boto3.client("lambda").invoke(
                FunctionName=target["Arn"], InvocationType="Event", Payload=target.get("Input", "{}").encode()
            )
            fired += 1
    print(fired)


def topics(stack):
    inputs = (json.loads(schedule["Target"].get("Input", "{}")) for schedule in schedules(stack))
    print(*(job["topic"] for job in inputs if "topic" in job))


def stop_schedules(stack):
    stopped = list(schedules(stack))
    for schedule in stopped:
        boto3.client("scheduler").delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    print(*{schedule["Target"]["Arn"].split(":function:")[1] for schedule in stopped})


def messages(groups=None):
    if groups is None:
        pages = LOGS.get_paginator("describe_log_groups").paginate()
        groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    for name in groups:
        for page in LOGS.get_paginator("filter_log_events").paginate(logGroupName=name):
            for event in page["events"]:
                yield event["message"].strip()


def log_lines():
    for message in messages():
        try:
            line = json.loads(message)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def ended(*names):
    pages = boto3.client("lambda").get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    groups = {
        function["LoggingConfig"]["LogGroup"]
        for function in functions
        if function["FunctionName"] in names
    }
    print(sum(message.startswith("REPORT ") for message in messages(groups)))


def counts():
    names = ("QuotesPolled", "QuotesPublished", "QuotesFailed", "RecordsWritten", "RecordsQuarantined")
    total = dict.fromkeys(names, 0)
    for line in log_lines():
        if "_aws" in line:
            for name in names:
                total[name] += line.get(name, 0)
    print(" ".join(str(total[name]) for name in names))


COMMANDS = {
    "create-cluster": create_cluster,
    "output": output,
    "fire-rare": fire_rare,
    "topics": topics,
    "stop-schedules": stop_schedules,
    "ended": ended,
    "counts": counts,
}

COMMANDS[sys.argv[1]](*sys.argv[2:])
