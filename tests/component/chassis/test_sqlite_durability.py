"""What was acknowledged is there after the writer was killed."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

_WRITER = """
import asyncio, sys
from pathlib import Path
from chassis.storage.sqlite import Migration, SqliteDatabase

async def main():
    table = Migration(1, "t", "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT", "DROP TABLE t")
    database = await SqliteDatabase.open(Path(sys.argv[1]), migrations=[table])
    async def write(number):
        while True:
            await database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", (number,)) and None)
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
            number += 20
    await asyncio.gather(*(write(number) for number in range(20)))

asyncio.run(main())
"""


def test_every_acknowledged_row_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for _ in range(3):
        acknowledged = _write_until_killed(path)
        with sqlite3.connect(path) as connection:
            found = {id for (id,) in connection.execute("SELECT id FROM t")}
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        assert len(acknowledged) >= 500
        assert acknowledged <= found
        path.unlink()
        for rest in path.parent.glob("store.db-*"):
            rest.unlink()


def _write_until_killed(path: Path) -> set[int]:
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged = {int(writer.stdout.readline()) for _ in range(500)}
    writer.send_signal(signal.SIGKILL)
    # The last line may be cut off in the middle.
    rest = writer.stdout.read().split("\n")[:-1]
    writer.stdout.close()
    writer.wait()
    return acknowledged | {int(line) for line in rest}
