"""The user's name, where there is one."""

import getpass

import pytest

from f2hdr_backend.cli.user import user_name


def test_the_user_name_is_that_of_the_system(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert user_name() == "ada"


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no such user")])
def test_a_user_id_without_a_name_gives_no_name(monkeypatch, error):
    def refuse():
        raise error

    monkeypatch.setattr(getpass, "getuser", refuse)
    assert user_name() == ""
