"""Who holds the lock: the record in the lock's commit message."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from .process import Process
from .run import readable

_LONGEST = 500
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Holder:
    """One run of `apply`. Times have a time zone and are stored in UTC.

    `owner` is `user@host`, `digest` the plan's, `run` the CI run's URL or id ("" at a workstation), `version` that of
    this program.
    """

    owner: str
    process: Process
    digest: str
    run: str
    version: str
    since: datetime
    expires: datetime

    @staticmethod
    def here(*, digest: str, run: str, version: str, now: datetime) -> Holder:
        """Return the record of this process. `acquire` sets the times."""
        process = Process.current()
        return Holder(f"{_user()}@{process.host}", process, digest, run, version, since=now, expires=now)

    def described(self) -> str:
        """Who, since when, on which plan and run; safe to show whoever wrote the record."""
        run = f" in {self.run}" if self.run else ""
        process = f"process {self.process.pid}, reconcile {self.version}"
        return readable(f"{self.owner}{run} since {self.since:%Y-%m-%dT%H:%M:%SZ} for plan {self.digest} ({process})")

    def dump(self) -> str:
        """Return the record as JSON."""
        times = {name: getattr(self, name).astimezone(UTC).strftime(_FORMAT) for name in ("since", "expires")}
        return json.dumps({**asdict(self), **times}, indent=2) + "\n"

    @staticmethod
    def parse(text: str) -> Holder:
        """Read `dump`'s text. Raises ValueError for anything else: whoever can push can write one."""
        try:
            record = json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if not (isinstance(record, dict) and isinstance(record.get("process"), dict)):
            raise ValueError("no holder and process")  # noqa: TRY004  what is wrong is the text
        texts = {name: _text(record, name) for name in ("owner", "digest", "run", "version")}
        process = {f.name: _text(record["process"], f.name) for f in fields(Process) if f.name != "pid"}
        pid = record["process"].get("pid")
        if type(pid) is not int:
            raise ValueError("pid is no number")
        since, expires = (_time(_text(record, name)) for name in ("since", "expires"))
        return Holder(**texts, process=Process(**process, pid=pid), since=since, expires=expires)


def _text(record: dict[str, object], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(f"{name} is no text, or too long")
    return value


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"  # a container's uid without a passwd entry, and no USER
