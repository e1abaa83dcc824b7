"""Makes of the pipeline's template one that ministack understands; run it with the Python of the SAM CLI.

emulated_template.py TEMPLATE OUTPUT [FOLDER]    with FOLDER, the code of each function is the package BINARY.zip in it
"""

import pathlib
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

source, output, *packages = sys.argv[1:]
template = yaml_parse(pathlib.Path(source).read_text())

# ministack does no arithmetic on metrics. Of alarms nothing but the deployment is tried here anyway.
sums = [
    name
    for name, resource in template["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
]
for name in sums:
    del template["Resources"][name]
if sums:
    print(f"left out {len(sums)} alarms, because ministack has no metric math: {', '.join(sums)}")

# The bucket refuses plain HTTP, which is all that the emulator speaks here.
del template["Resources"]["BronzeBucketPolicy"]
print("left out the bucket's policy, because it refuses plain HTTP")

# ministack takes the ARN in the path of a request to MSK for the name of the cluster, so no policy for one cluster fits.
reach = template["Resources"]["ReachBrokers"]["Properties"]["PolicyDocument"]["Statement"]
look_up = next(choice["Fn::If"][1] for choice in reach if choice["Fn::If"][1]["Sid"] == "LookBrokersUp")
look_up["Resource"] = "*"
print("let the pollers look up the brokers of every cluster, because ministack mistakes the cluster's ARN")

if packages:
    # What `sam build` does.
    template["Globals"]["Function"].pop("CodeUri", None)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource["Metadata"]["BuildProperties"]["Binary"]
            package = pathlib.Path(packages[0], binary + ".zip").resolve()
            resource["Properties"]["CodeUri"] = str(package)

pathlib.Path(output).write_text(yaml_dump(template))
