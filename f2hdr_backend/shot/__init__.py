"""Data types of all packages: shots, frames, exposures, events and errors.

Standard library only and Python 3.9 syntax: host applications import this package in their own interpreter.
"""
