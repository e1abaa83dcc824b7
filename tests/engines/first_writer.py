"""The writer itself, as a Lambda function on an S3 server: does it admit what the generator makes, in the second one's lines?"""

import base64
import http.server
import json
import os
import re
import subprocess
import threading
import time

import zstandard
from bronze_writer import encoded_symbol


def lands_the_same(writer, filled, s3, endpoint):
    """Has the program `writer` land what `filled` holds, in the bucket `written`. Returns how many lines are the same."""
    s3.create_dir("written")
    answers = invoke(writer, [event(topic, records) for topic, records in filled.sent.items()], endpoint)
    failed = [answer for answer in answers if answer[0] != "response"]
    assert not failed, failed[0]
    expected, found = set(), set()
    for topic, records in filled.records.items():
        for line, symbol, epoch, _ in records.values():
            expected.add((f"epoch={epoch}", f"lake_topic={topic}", f"lake_symbol={encoded_symbol(symbol)}", line))
    for key, body in objects(s3):
        folders = key.split("/")[2:]
        assert "_quarantine" not in folders, f"the writer does not admit what lies in {key}: {body[:2000]}"
        if ".ndjson" in key:
            assert re.fullmatch(r"lake_date=\d{4}-\d\d-\d\d", folders[3]), key
            found |= {(*folders[:3], line) for line in body.decode().split("\n")[:-1]}
    differ = sorted(expected ^ found, key=lambda place: place[3])[:2]
    assert not differ, f"the two writers differ: {differ}"
    return len(found)


def event(topic, records):
    """What a Kafka trigger sends: headers are signed bytes."""
    return {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "127.0.0.1:9092",
        "records": {
            f"{topic}-0": [
                {
                    "topic": topic,
                    "partition": 0,
                    "offset": offset,
                    "timestamp": timestamp,
                    "timestampType": "CREATE_TIME",
                    "value": text(body.encode()),
                    "headers": [{name: value and [(byte ^ 128) - 128 for byte in value]} for name, value in headers],
                    **({} if key is None else {"key": text(key)}),
                }
                for offset, body, timestamp, key, headers in records
            ]
        },
    }


def text(value):
    return base64.b64encode(value).decode()


def objects(s3):
    import pyarrow.fs

    for file in s3.get_file_info(pyarrow.fs.FileSelector("written", recursive=True)):
        if file.is_file:
            with s3.open_input_stream(file.path, compression=None) as stream:
                body = stream.read()
            if file.path.endswith(".zst"):
                body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
            yield file.path, body


def invoke(program, events, endpoint, bucket="written"):
    """Runs the writer with a runtime API that has these events; gives its answers: ("response" or "error", body)."""
    answers, left = [], list(enumerate(events))

    class Api(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if not left:
                # The runtime waits for the next event until it is ended.
                done.set()
                time.sleep(60)
                return
            number, body = left.pop(0)
            deadline = int(time.time() * 1000) + 60_000
            headers = {
                "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-8000-{number:012}",
                "Lambda-Runtime-Deadline-Ms": str(deadline),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:bronze-writer",
            }
            self.answer(200, json.dumps(body).encode(), headers)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)) if self.headers["Content-Length"] else chunks(self.rfile)
            answers.append((self.path.rsplit("/", 1)[1], body.decode()))
            if "/init/" in self.path:
                done.set()
            self.answer(202, b"", {})

        def answer(self, status, body, headers):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    done = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "bronze-writer",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "BRONZE_BUCKET": bucket,
        "BRONZE_PREFIX": "bronze",
        "BRONZE_EPOCH": "1",
    }
    process = subprocess.Popen([program], env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    threading.Thread(target=lambda: [answers.append(("log", line)) for line in process.stdout if "ERROR" in line], daemon=True).start()
    try:
        while not done.wait(0.2):
            assert process.poll() is None, "the writer has ended"
    finally:
        process.kill()
        process.wait()
        server.shutdown()
    return answers


def chunks(stream):
    """The body of a request without a length."""
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body
