"""The device code flow (RFC 8628): a program waits while its person signs in somewhere else."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .answers import Clock, Entropy

LIFETIME = timedelta(minutes=15)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

State = Literal["pending", "approved", "declined", "spent", "expired", "unknown"]


@dataclass(slots=True)
class _Device:
    user_code: str
    expires: datetime
    state: State = "pending"


class Devices:
    """Device codes handed out, and what their people did."""

    def __init__(self, wall: Clock, entropy: Entropy) -> None:
        self._wall, self._entropy = wall, entropy
        self._lock = threading.Lock()
        self._devices: dict[str, _Device] = {}

    def begin(self) -> tuple[str, str]:
        """Return a new device code and the user code that belongs to it."""
        code = urlsafe_b64encode(self._entropy(48)).decode()
        user_code = "".join(_LETTERS[b % len(_LETTERS)] for b in self._entropy(9))
        with self._lock:
            self._devices[code] = _Device(user_code, self._wall() + LIFETIME)
        return code, user_code

    def decide(self, user_code: str | None, state: Literal["approved", "declined"]) -> None:
        """Let the person approve or decline; without a code, whatever is pending. KeyError when nothing is."""
        with self._lock:
            pending = [d for d in self._devices.values() if d.state == "pending" and user_code in (None, d.user_code)]
            if not pending:
                raise KeyError(user_code or "no sign-in is pending")
            for device in pending:
                device.state = state

    def redeem(self, code: str) -> State:
        """Return the state of a device code; an approved one is good once."""
        with self._lock:
            device = self._devices.get(code)
            if device is None:
                return "unknown"
            if device.expires <= self._wall():
                return "expired"
            state = device.state
            if state == "approved":
                device.state = "spent"
            return state
