from pathlib import Path

import pytest

from chassis.backends import backends_of, store_folder, store_url
from chassis.config import Environment, SettingsInvalid
from chassis.messaging.opening import bus_settings


def test_unset_and_empty_variables_have_their_defaults() -> None:
    env = Environment({"EMPTY": "  "})
    assert env.text("EMPTY", "x") == "x"
    assert env.integer("NONE", 7, minimum=0, maximum=9) == 7
    assert env.number("NONE", 0.5, minimum=0, maximum=1) == 0.5
    assert env.flag("NONE", True) is True
    assert env.path("NONE", Path("data")) == Path("data")
    assert env.optional("EMPTY") is None
    assert env.items("NONE") == ()
    env.check()


def test_values_are_read_by_type(tmp_path: Path) -> None:
    env = Environment(
        {
            "PORT": "8080",
            "RATIO": "0.25",
            "ON": "Yes",
            "OFF": "0",
            "DIR": str(tmp_path),
            "MODE": "fast",
            "URL": "memory://",
            "LIST": "a, b,,c ",
        }
    )
    assert env.integer("PORT", 1, minimum=0, maximum=65535) == 8080
    assert env.number("RATIO", 1, minimum=0, maximum=1) == 0.25
    assert (env.flag("ON", False), env.flag("OFF", True)) == (True, False)
    assert env.path("DIR", Path()) == tmp_path
    assert env.choice("MODE", "slow", ["slow", "fast"]) == "fast"
    assert env.url("URL", "redis://x", ["memory", "redis"]) == "memory://"
    assert env.items("LIST") == ("a", "b", "c")
    env.check()


def test_all_problems_are_reported_together_and_by_name() -> None:
    env = Environment(
        {
            "A": "many",
            "B": "70000",
            "C": "nan",
            "D": "maybe",
            "E": "purple",
            "F": "http:/x",
            "G_FILE": "/does/not/exist",
        }
    )
    env.integer("A", 1, minimum=0, maximum=1)
    env.integer("B", 1, minimum=0, maximum=65535)
    env.number("C", 1, minimum=0, maximum=1)
    env.flag("D", True)
    env.choice("E", "red", ["red", "blue"])
    env.url("F", "memory://", ["memory", "http"])
    env.secret("G")
    env.problem("H", "is unsafe here")

    with pytest.raises(SettingsInvalid) as caught:
        env.check()

    names = [problem.split(":")[0] for problem in caught.value.problems]
    assert names == ["A", "B", "C", "D", "E", "F", "G_FILE", "H"]
    assert all(name in str(caught.value) for name in names)


def test_a_secret_comes_from_the_variable_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\n")
    assert Environment({"P": "direct"}).secret("P") == "direct"
    assert Environment({"P_FILE": str(file)}).secret("P") == "from the file"
    assert Environment({}).secret("P") is None


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("b")
    env = Environment({"P": "a", "P_FILE": str(file)})
    env.secret("P")
    with pytest.raises(SettingsInvalid, match="P_FILE"):
        env.check()


def test_a_bad_url_is_not_quoted_since_it_may_hold_a_password() -> None:
    env = Environment({"U": "ftp://anna:hunter2@host"})
    env.url("U", "memory://", ["memory"])
    with pytest.raises(SettingsInvalid) as caught:
        env.check()
    assert "hunter2" not in str(caught.value)


def test_the_environment_of_the_process_is_what_is_read_without_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTOWORKER_SOMETHING", "here")
    assert Environment().text("AUTOWORKER_SOMETHING", "") == "here"


def test_one_url_moves_the_databases_of_every_service() -> None:
    env = Environment({"AUTOWORKER_STORE_URL": "sqlite:////var/lib/stores"})

    assert store_folder(env, Path("data")) == Path("/var/lib/stores")
    assert store_folder(Environment({}), Path("data")) == Path("data")


def test_a_store_may_be_a_server_and_files_then_stay_in_the_data_directory() -> None:
    env = Environment({"AUTOWORKER_STORE_URL": "mongodb://user:hunter2@host/db"})

    assert store_url(env) == "mongodb://user:hunter2@host/db"
    assert store_folder(env, Path("data")) == Path("data")
    assert store_url(Environment({"AUTOWORKER_STORE_URL": "sqlite:///stores"})) is None
    env.check()


def test_backends_that_are_not_there_are_findings_without_their_secrets() -> None:
    env = Environment(
        {
            "AUTOWORKER_STORE_URL": "mysql://user:hunter2@host/db",
            "AUTOWORKER_BUS_URL": "nats://user:hunter2@host",
        }
    )
    store_folder(env, Path("data"))
    bus_settings(env, Path("data"))
    backends_of(env)

    with pytest.raises(SettingsInvalid) as refused:
        env.check()
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "AUTOWORKER_STORE_URL",
        "AUTOWORKER_BUS_URL",
    ]
    assert "hunter2" not in str(refused.value)


def test_a_bus_may_be_a_broker_whose_password_is_never_shown() -> None:
    chosen = bus_settings(
        Environment({"AUTOWORKER_BUS_URL": "amqp://user:hunter2@host/suite"}), Path("data")
    )

    assert chosen.rabbit is not None
    assert chosen.rabbit.url == "amqp://user:hunter2@host/suite"
    assert chosen.key_file == Path("data/keys/bus.keys")
    assert "hunter2" not in repr(chosen)
    assert bus_settings(Environment({}), Path("data")).rabbit is None
