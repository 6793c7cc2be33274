"""The verbs of the ``f2hdr`` command: one module per verb, each with ``register(app)``; `main` finds them."""
