"""Erasing a person from the store of identity."""

import sqlite3
from typing import Final

_BY_USER: Final = """
SELECT tables.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
WHERE tables.type = 'table' AND columns.name = 'user_id' AND tables.name NOT LIKE 'audit%'
"""

_IN_THE_TRAIL: Final = """
UPDATE audit SET address = '', personal = '{}', salt = NULL
WHERE tenant = (SELECT tenant FROM users WHERE id = ?1) AND actor = ?1 AND salt IS NOT NULL
"""


def erase_rows(connection: sqlite3.Connection, user_id: str) -> None:
    """Delete the user, and in every table with a column `user_id` what belongs to them.

    A capability that is added later need not remember to be forgotten. The audit trail stays, since
    it is a chain: it knows people by their ids, and what else it says about them is taken out of it.
    """
    connection.execute(_IN_THE_TRAIL, (user_id,))
    tables = [name for (name,) in connection.execute(_BY_USER)]
    for table in tables:
        connection.execute(f'DELETE FROM "{table}" WHERE user_id = ?', (user_id,))  # noqa: S608
    connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
