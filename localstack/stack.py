"""What localstack/emulate.sh asks of the emulated AWS. AWS_ENDPOINT_URL says where that is.

stack.py create-cluster NAME     makes an MSK cluster in the default VPC; prints the parameters by which a stack is on it
stack.py output STACK KEY        an output of the stack
stack.py fire-rare STACK         invokes the pollers whose schedules are rarer than a minute; prints how many
stack.py topics STACK            prints the topics that the stack's schedules have pollers publish to
stack.py scheduled STACK         prints the functions that the stack's schedules invoke
stack.py stop STACK KIND         deletes the schedules of the stack's pollers or rollers, so that they start nothing more
stack.py sweep STACK             invokes each roller as its daily schedule would, and waits for it; prints how many
stack.py ended FUNCTION...       prints how many invocations of these have ended, by the reports in their log
stack.py counts METRIC...        prints what the functions have counted, by the metrics in their logs
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


def job(schedule):
    return json.loads(schedule["Target"].get("Input", "{}"))


def kind(schedule):
    return "pollers" if "feed" in job(schedule) else "rollers"


def function(schedule):
    return schedule["Target"]["Arn"].split(":function:")[1]


def invoke(schedule, how):
    payload = schedule["Target"].get("Input", "{}")
    return boto3.client("lambda").invoke(FunctionName=function(schedule), InvocationType=how, Payload=payload)


def fire_rare(stack):
    fired = 0
    for schedule in schedules(stack):
        if kind(schedule) == "pollers" and schedule["ScheduleExpression"] != "rate(1 minute)":
            invoke(schedule, "Event")
            fired += 1
    print(fired)


def topics(stack):
    print(*{job(schedule)["topic"] for schedule in schedules(stack) if kind(schedule) == "pollers"})


def scheduled(stack):
    print(*{function(schedule) for schedule in schedules(stack)})


def stop(stack, stopped):
    for schedule in list(schedules(stack)):
        if kind(schedule) == stopped:
            boto3.client("scheduler").delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])


def sweep(stack):
    sweeps = [schedule for schedule in schedules(stack) if schedule["ScheduleExpression"] == "rate(1 day)"]
    for schedule in sweeps:
        answer = invoke(schedule, "RequestResponse")
        report = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or report["failed"] or report["left"]["count"] or report["damaged"]["count"]:
            sys.exit(f"{function(schedule)} answered {json.dumps(report)}")
    print(len(sweeps))


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


def counts(*names):
    total = dict.fromkeys(names, 0)
    for line in log_lines():
        if "_aws" in line:
            for name in names:
                total[name] += line.get(name, 0)
    print(*total.values())


COMMANDS = {
    "create-cluster": create_cluster,
    "output": output,
    "fire-rare": fire_rare,
    "topics": topics,
    "scheduled": scheduled,
    "stop": stop,
    "sweep": sweep,
    "ended": ended,
    "counts": counts,
}

COMMANDS[sys.argv[1]](*sys.argv[2:])
