"""Makes the file of well-known passwords: `python -m auth_service.adapters.password_lists LIST…`.

Lists have one password a line; those that end in `.gz` are unpacked.
"""

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path

from auth_service.domain import well_known_passwords


def main(arguments: Sequence[str]) -> None:
    """Write the file anew from the lists that *arguments* name."""
    passwords = [line for name in arguments for line in _lines(Path(name))]
    file = Path(well_known_passwords.__file__).with_name(well_known_passwords.FILE)
    _ = file.write_bytes(well_known_passwords.compiled(passwords))


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace").splitlines()


if __name__ == "__main__":
    main(sys.argv[1:])
