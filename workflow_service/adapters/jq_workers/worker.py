"""The program of a jq worker process; run as a file, never imported, by pool.py.

It runs without site packages (but for the folder of libjq's binding, given as its argument), without
an environment and with little memory, and speaks frames on its standard input and output:
four bytes of length, then the content. A request is the length of the program text in four bytes,
the program text, and the input document; an answer is a status byte and the JSON text of
the first output, or a message. Any surprise ends the process: the pool starts another.
"""

import contextlib
import json
import os
import resource
import sys
from collections import OrderedDict

KEPT_PROGRAMS = 128
OK, FAILED, READY = b"\x00", b"\x01", b"\x02"


def confine(memory: int) -> None:
    """Little memory; no core, no new files, no further processes."""
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit to set
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def allow_cpu(seconds: int) -> None:
    """End this process when it computes longer from now on, even if nobody is left to kill it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = int(usage.ru_utime + usage.ru_stime) + seconds + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    bounded = until if most == resource.RLIM_INFINITY else min(until, most)
    resource.setrlimit(resource.RLIMIT_CPU, (bounded, most))


def read(size: int) -> bytes:
    """Exactly *size* bytes; the end of the stream ends the process."""
    content = bytearray()
    while len(content) < size:
        part = os.read(0, min(size - len(content), 1 << 20))
        if not part:
            raise SystemExit(0)
        content += part
    return bytes(content)


def write(status: bytes, content: bytes) -> None:
    frame = memoryview((len(content) + 1).to_bytes(4, "big") + status + content)
    while frame:
        frame = frame[os.write(1, frame) :]


def answer(program, text: str, max_output: int) -> tuple[bytes, bytes]:  # type: ignore[no-untyped-def]
    """The status and content to answer with."""
    try:
        result = next(iter(program.input_text(text)), None)
        output = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as exc:
        return FAILED, (str(exc) or "the expression failed").encode(errors="replace")[:4096]
    if len(output) > max_output:
        return FAILED, f"the result is larger than {max_output} bytes".encode()
    return OK, output


def serve(compiler, max_output: int, cpu_seconds: int) -> None:  # type: ignore[no-untyped-def]
    programs: OrderedDict[bytes, object] = OrderedDict()
    write(READY, b"")
    while True:
        size = int.from_bytes(read(4), "big")
        allow_cpu(cpu_seconds)
        frame = read(size)
        start = 4 + int.from_bytes(frame[:4], "big")
        text = frame[4:start]
        if text in programs:
            programs.move_to_end(text)
        else:
            try:
                programs[text] = compiler(text.decode())
            except ValueError as exc:
                write(FAILED, str(exc).encode(errors="replace")[:4096])
                continue
            if len(programs) > KEPT_PROGRAMS:
                programs.popitem(last=False)
        write(*answer(programs[text], frame[start:].decode(), max_output))


def main() -> None:
    folder, memory, max_output, cpu_seconds = sys.argv[1:]
    sys.path.append(folder)
    import jq

    confine(int(memory))
    serve(jq.compile, int(max_output), int(cpu_seconds))


if __name__ == "__main__":
    main()
