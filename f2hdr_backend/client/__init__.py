"""Client of the render server: find or start it, submit a Shot, watch the job, cancel it.

Standard library only and Python 3.9 syntax: host applications import this package in their own interpreter.
"""
