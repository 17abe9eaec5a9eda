"""The HTTP of the exporters: what a collector did not take is no success.

The SDK counts each answer below 400 as taken and reads none: where a collector's address only leads on to another, or
is some other server's, everything would be lost without a word, and so would what a collector says it has rejected.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, NoReturn

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

# Of this name's parent the failures are told, see Export.tell_failures.
_LOGGER: Final = logging.getLogger("opentelemetry.exporter.answers")
_REJECTED: Final[dict[str, Callable[[bytes], int]]] = {
    "traces": lambda body: ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans,
    "metrics": lambda body: ExportMetricsServiceResponse.FromString(body).partial_success.rejected_data_points,
    "logs": lambda body: ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records,
}
"""By signal: how many a collector says it did not take (OTLP's partial success). Raise DecodeError."""


class NotTaken(requests.RequestException):
    """Raised where an answer is none of a collector's. It is no ConnectionError: nothing is gained by another try."""


def exporter_session(signal: str) -> requests.Session:
    """signal: traces, metrics or logs. Its requests raise NotTaken, and log what was taken in part."""
    session = requests.Session()

    def check(response: requests.Response, *_: Any, **__: Any) -> None:
        _check(signal, response)

    session.hooks["response"].append(check)
    return session


def _check(signal: str, response: requests.Response) -> None:
    if response.status_code >= 400:
        return  # which the SDK reads, and tries again where it should
    if response.status_code >= 300:
        _refuse(response, "the address leads to another one")
    if "json" in response.headers.get("Content-Type", "") or not response.content:
        return
    try:
        rejected = _REJECTED[signal](response.content)
    except DecodeError:
        _refuse(response, "the answer is none of a collector's")
    if rejected:
        _LOGGER.warning("a collector rejected %d %s", rejected, signal)


def _refuse(response: requests.Response, why: str) -> NoReturn:
    # The SDK tells each of its failures once in 20 seconds in a process, and not by what it was.
    _LOGGER.warning("nothing was taken: %s", why)
    response.close()
    raise NotTaken(why)
