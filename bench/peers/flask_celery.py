"""Flask and Celery: the usual answer. Quorum queue, acks_late, publisher confirms, a pool of 64 threads."""

from __future__ import annotations

import sys
from typing import Any

import urllib3
from celery import Celery
from flask import Flask, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from standardwebhooks import Webhook, WebhookVerificationError

from bench.work import PATH, SECRET, body, broker_url, vendor_call

QUEUE = "bench.celery"

celery = Celery("bench", broker=broker_url())
celery.conf.update(
    task_default_queue=QUEUE,
    task_default_queue_type="quorum",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_pool_limit=16,  # a connection for each of gunicorn's threads
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)

_http = urllib3.PoolManager(maxsize=64, block=True, retries=False)


@celery.task(name="member")
def member(event: dict[str, Any]) -> None:
    answer = _http.request("GET", vendor_call(event["data"]["member_id"]))
    if answer.status != 200 or not answer.json()["success"]:
        raise RuntimeError("refused")


class _Member(Schema):
    class Meta:
        unknown = RAISE

    member_id = fields.String(required=True, validate=validate.Length(min=1, max=200))
    profile = fields.Dict(keys=fields.String())
    attributes = fields.Dict(keys=fields.String())


class _Body(Schema):
    class Meta:
        unknown = RAISE

    type = fields.String(required=True, validate=validate.OneOf(("member.created", "member.updated")))
    timestamp = fields.AwareDateTime(required=True)
    data = fields.Nested(_Member, required=True)


_schema = _Body()
_webhook = Webhook(SECRET)

app = Flask(__name__)


@app.post(PATH)
def accept() -> tuple[dict[str, str], int]:
    try:
        content = _webhook.verify(request.get_data(), dict(request.headers))
        event = _schema.load(content)
    except WebhookVerificationError:
        return {"error": "signature"}, 401
    except ValidationError as error:
        return {"error": str(error.messages)}, 422
    event["timestamp"] = event["timestamp"].isoformat()
    sent = member.apply_async((event,), task_id=request.headers["webhook-id"])
    return {"id": str(sent.id)}, 202


def preload(count: int) -> None:
    for number in range(count):
        member.apply_async((body(number),))


if __name__ == "__main__":
    preload(int(sys.argv[1]))
