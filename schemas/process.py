"""The name of this process."""

from __future__ import annotations

import os
import socket
import uuid


def process_name() -> str:
    """Containers of one host name all have the same process id: it alone would let two of them be one."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
