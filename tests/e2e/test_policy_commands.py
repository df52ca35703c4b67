"""`autoworker policies`."""

from tests.support.suite import Suite, command_line


async def test_policies_in_the_terminal(suite: Suite) -> None:
    file = suite.folder / "policies.yaml"
    file.write_text(
        "- {name: terminal, effect: deny, actions: [events:write], mode: dry_run, "
        "condition: \"context.address == '192.0.2.1'\"}\n",
        encoding="utf-8",
    )

    applied = command_line(suite.folder, "policies", "apply", str(file))
    listed = command_line(suite.folder, "policies", "list").stdout
    explained = command_line(
        suite.folder, "policies", "explain", "events:write", "--role", "user",
        "--context", "address=192.0.2.1",
    ).stdout  # fmt: skip
    deleted = command_line(suite.folder, "policies", "delete", "terminal").stdout
    back = command_line(suite.folder, "policies", "rollback", "terminal", "1").stdout
    versions = command_line(suite.folder, "policies", "versions", "terminal").stdout
    command_line(suite.folder, "policies", "delete", "terminal")
    file.write_text("{name: x, effect: deny, actions: [events:write], condition: '1 +'}")
    wrong = command_line(suite.folder, "policies", "apply", str(file))

    assert applied.stdout == "terminal: version 1, deny, dry_run\n", applied.stderr
    assert "terminal" in listed
    assert "events:write: allowed" in explained
    assert "terminal v1 (dry run): refuses, its condition is true, and it denies" in explained
    assert (deleted, back) == ("terminal is deleted.\n", "terminal: version 3, as version 1\n")
    assert len(versions.splitlines()) == 3
    assert wrong.returncode == 1
    assert "Syntax error" in wrong.stderr
