"""The program of a process that compiles a proto; run as a file, never imported, by compiling.py.

It reads the folder that it is given and writes one file, with little time and memory; a proto that would
break a compiler breaks this process only. Its messages are protoc's own, on standard error.
"""

import contextlib
import resource
import sys
from pathlib import Path


def confine(memory: int, cpu: int, size: int) -> None:
    """Bound this process: bytes of memory, seconds of work, bytes of its output."""
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit to set
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def compile_proto(folder: Path, name: str) -> int:
    """Write the descriptors of *name*, and of all that it imports, to ``descriptors`` in *folder*."""
    import grpc_tools
    from grpc_tools import _protoc_compiler

    known = Path(grpc_tools.__file__).with_name("_proto")
    options = [
        "protoc",
        f"-I{folder / 'protos'}",
        f"-I{known}",
        "--include_imports",
        f"--descriptor_set_out={folder / 'descriptors'}",
        name,
    ]
    return int(_protoc_compiler.run_main([option.encode() for option in options]))


if __name__ == "__main__":
    confine(*(int(bound) for bound in sys.argv[3:6]))
    sys.exit(compile_proto(Path(sys.argv[1]), sys.argv[2]))
