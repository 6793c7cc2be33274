"""The command line: one file a verb, found by ``main``; heavy imports stay inside the verbs."""
