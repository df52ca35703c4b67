"""What an expression may not name: everything in jq that reaches beyond its input.

`env`, `$ENV` show the process environment; `input`, `inputs` take other inputs; `import`,
`include`, `module`, `modulemeta`, `get_search_list`, `get_prog_origin`, `get_jq_origin` reach
the file system; `halt`, `halt_error` end the program; `debug`, `stderr` write to the process's
standard error; `input_filename`, `input_line_number`, `$__loc__` tell about the program's
surroundings. `$__…` is kept for the wrapper. libjq gets harmless definitions of the same names
as well (program.py), should one ever slip through.
"""

from workflow_service.domain.expressions.tokens import Kind, Token, every_token
from workflow_service.domain.expressions.values import ExpressionFailed

FORBIDDEN = frozenset(
    """
    env input inputs import include module modulemeta get_search_list get_prog_origin
    get_jq_origin halt halt_error debug stderr input_filename input_line_number
    """.split()  # noqa: SIM905 - words read better as words
)


def used_variables(tokens: tuple[Token, ...], allowed: frozenset[str]) -> frozenset[str]:
    """Check every name in *tokens*; return those of the *allowed* variables that occur.

    Raises:
        ExpressionFailed: something forbidden is named.
    """
    used: set[str] = set()
    for token, is_key in every_token(tokens):
        if token.kind is Kind.NAME and not is_key:
            name = token.text.rpartition("::")[2]
            if name in FORBIDDEN:
                raise ExpressionFailed(f"'{name}' is not available in workflow expressions")
        elif token.kind is Kind.BINDING:
            variable = token.text[1:]
            if variable == "ENV" or variable.startswith("__"):
                raise ExpressionFailed(f"'${variable}' is not available in workflow expressions")
            if variable in allowed:
                used.add(variable)
    return frozenset(used)
