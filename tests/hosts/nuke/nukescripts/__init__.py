"""A fake of the part of Nuke's ``nukescripts`` that F2HDR uses."""

from nukescripts import panels as panels
