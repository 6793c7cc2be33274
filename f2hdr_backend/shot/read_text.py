"""Reads text documents that a user names: UTF-8, of limited size, and JSON."""

from __future__ import annotations

import json
import os
from typing import Any, Union

from f2hdr_backend.shot.errors import DocumentError
from f2hdr_backend.shot.limits import limit
from f2hdr_backend.shot.safe_open import open_file


def read_text(path: Union[str, os.PathLike[str]]) -> str:
    """Return the text of a file without a UTF-8 byte order mark.

    Raises DocumentError if the file cannot be read, is larger than the limit ``document`` or is not UTF-8.
    """
    largest = limit("document")
    try:
        with open_file(path) as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise _unreadable(path, f"it is larger than {largest} bytes", "Check that it is the correct document.")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error), "Check the path and the permissions.") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} is not UTF-8 text", "Save it as UTF-8.") from error


def json_value(text: Union[str, bytes]) -> Any:
    """Return the value of a JSON text. Raises ValueError if it is not JSON, or nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_json(text: Union[str, bytes], what: str) -> Any:
    """Return the value of a JSON text; ``what`` names it in errors, such as "The Shot".

    Raises DocumentError if it is not JSON, or nested too deeply.
    """
    try:
        return json_value(text)
    except ValueError as error:
        raise DocumentError(f"{what} is not JSON: {error}.", hint="Check the line and the column.") from error


def read_json(path: Union[str, os.PathLike[str]]) -> Any:
    """Return the value of a JSON file. Raises DocumentError, which names the file."""
    return parse_json(read_text(path), f'"{os.fspath(path)}"')


def _unreadable(path: Union[str, os.PathLike[str]], reason: str, action: str) -> DocumentError:
    name = os.fspath(path)
    return DocumentError(f'"{name}" cannot be read: {reason}.', hint=action, path=name)
