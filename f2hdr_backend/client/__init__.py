"""The door to the shared server: find or start it, submit a Shot, watch it, cancel it.

Standard library only and Python 3.9 syntax: host applications import this package in their own interpreter.
"""
