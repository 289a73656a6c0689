"""How both ends of a connection find out within seconds that nothing leads to the other any more.

A firewall that forgets a connection, or a machine that loses its power, says nothing. Without this
Linux waits two hours until it asks, and a statement that may take its time would wait as long.
"""

import socket
from typing import Any

_IDLE_S = 5
_INTERVAL_S = 2
_COUNT = 3
_GONE_AFTER_S = _IDLE_S + _COUNT * _INTERVAL_S
_OPTIONS = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): _IDLE_S,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): _INTERVAL_S,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): _COUNT,
    # Where something was sent, the kernel sends it again and again and asks nothing.
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): _GONE_AFTER_S * 1_000,
}

SESSION = {
    "tcp_keepalives_idle": str(_IDLE_S),
    "tcp_keepalives_interval": str(_INTERVAL_S),
    "tcp_keepalives_count": str(_COUNT),
}
"""The settings by which the server's end does the same; a Unix socket has no use for them."""


def keep_alive(connection: Any) -> None:
    """Let our end of one of the driver's connections find it out."""
    # The driver itself gives no way to its socket.
    end = connection._transport.get_extra_info("socket")  # noqa: SLF001
    if end.family != socket.AF_UNIX:
        for (level, option), value in _OPTIONS.items():
            end.setsockopt(level, option, value)
