"""webhook.py send URL SECRET ID FILE                       posts an event
webhook.py status URL SECRET ID                          asks where it stands
webhook.py verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you"""

import base64
import hashlib
import hmac
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def sign(secret, id_, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def ask(url, secret, id_, body=None):
    now = str(int(time.time()))
    headers = {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": now,
        "webhook-signature": sign(secret, id_, now, body or b""),
    }
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30)
    except urllib.error.HTTPError as refused:
        answer = refused
    return answer.read().decode(), answer.status


def verify(secret, id_, timestamp, signatures, body):
    if abs(time.time() - int(timestamp)) > 300:
        return False
    wanted = sign(secret, id_, timestamp, body)
    return any(hmac.compare_digest(wanted, given) for given in signatures.split(" "))


if __name__ == "__main__":
    act, *words = sys.argv[1:]
    if act == "verify":
        is_good = verify(*words[:4], Path(words[4]).read_bytes())
        print("good" if is_good else "bad")
        sys.exit(not is_good)
    text, status = ask(*words[:3], Path(words[3]).read_bytes() if act == "send" else None)
    print(text, status, sep="\n")
