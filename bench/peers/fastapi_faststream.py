"""FastAPI and FastStream (aio-pika): the asyncio answer. Quorum queue, publisher confirms, uvloop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import aiohttp
from fastapi import FastAPI, HTTPException, Request
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from bench.work import PATH, SECRET, body, broker_url, vendor_call

NAME = "bench.faststream"
QUEUE = RabbitQueue(NAME, queue_type=QueueType.QUORUM, durable=True)
THREADS = 32  # at once in each of the worker's two processes

broker = RabbitBroker(broker_url(), default_channel=Channel(prefetch_count=THREADS), logger=None)


class Member(BaseModel):
    model_config = ConfigDict(extra="forbid")
    member_id: Annotated[str, Field(min_length=1, max_length=200)]
    profile: dict[str, Any] = {}
    attributes: dict[str, Any] = {}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["member.created", "member.updated"]
    timestamp: AwareDatetime
    data: Member


# --- ingress ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _connected(_: FastAPI) -> AsyncIterator[None]:
    await broker.connect()
    await broker.declare_queue(QUEUE)
    yield
    await broker.stop()


app = FastAPI(lifespan=_connected)
_webhook = Webhook(SECRET)


@app.post(PATH, status_code=202)
async def accept(request: Request) -> dict[str, str]:
    content = await request.body()
    try:
        _webhook.verify(content, dict(request.headers))
        event = Body.model_validate_json(content)
    except WebhookVerificationError:
        raise HTTPException(401, "signature") from None
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_url=False)) from None
    id_ = request.headers["webhook-id"]
    await broker.publish(event.model_dump(mode="json"), QUEUE, persist=True, message_id=id_)
    return {"id": id_}


# --- worker -----------------------------------------------------------------------------------------------------------

worker = FastStream(broker, logger=None)
_session: aiohttp.ClientSession


@worker.on_startup
async def _open() -> None:
    global _session  # noqa: PLW0603  # made once the loop runs
    _session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=THREADS))


@worker.after_shutdown
async def _close() -> None:
    await _session.close()


@broker.subscriber(QUEUE, ack_policy=AckPolicy.NACK_ON_ERROR)
async def member(event: Body) -> None:
    async with _session.get(vendor_call(event.data.member_id)) as answer:
        if answer.status != 200 or not (await answer.json())["success"]:
            raise RuntimeError("refused")


async def preload(count: int) -> None:
    await broker.connect()
    await broker.declare_queue(QUEUE)
    for start in range(0, count, 200):
        numbers = range(start, min(start + 200, count))
        await asyncio.gather(*(broker.publish(body(number), QUEUE, persist=True) for number in numbers))
    await broker.stop()


if __name__ == "__main__":
    asyncio.run(preload(int(sys.argv[1])))
